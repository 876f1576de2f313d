-- What PostgreSQL does in one statement for a whole batch.

-- name: index
INSERT INTO vault_index (kind, hmac, member) SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[])

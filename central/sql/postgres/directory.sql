-- One statement for the changes of many entries.

-- name: set_change
INSERT INTO directory_change (kind, id, n)
SELECT * FROM unnest($1::text[], $2::bytea[], $3::bigint[])
ON CONFLICT (kind, id) DO UPDATE SET n = excluded.n

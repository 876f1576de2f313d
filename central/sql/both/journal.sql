-- name: gate
SELECT last_received FROM journal_gate WHERE id = 1 {for_update}

-- name: pass_gate
UPDATE journal_gate SET last_received = $1 WHERE id = 1

-- name: insert_entry
INSERT INTO entry (id, received, kind, body) VALUES ($1, $2, $3, $4)

-- name: unpublished
SELECT id, received, body FROM entry WHERE n IS NULL ORDER BY received LIMIT 500

-- name: publish_entry
UPDATE entry SET n = $2, hash = $3 WHERE id = $1 AND n IS NULL

-- name: publisher
SELECT n, head, term FROM publisher WHERE id = 1 {for_update}

-- name: start_publisher
INSERT INTO publisher (id, term, holder, held_until, n, head) VALUES (1, 0, '', 0, 0, $1) ON CONFLICT (id) DO NOTHING

-- name: move_publisher
UPDATE publisher SET n = $1, head = $2 WHERE id = 1

-- name: published
SELECT n, head FROM publisher WHERE id = 1

-- name: club
SELECT id, name_zh, name_en, central_epoch, central_epoch_bits FROM club

-- name: entries_from
SELECT id, received, body, n, hash FROM entry WHERE n > $1 ORDER BY n LIMIT $2

-- name: entries_waiting
SELECT COUNT(*) FROM entry WHERE n IS NULL

-- Runs of imports and exports at the console.

-- name: begin
INSERT INTO exchange_run (id, direction, what, name, staff, started, seen, ended, state, total, done, stop, error_zh, error_en, expires)
VALUES ($1, $2, $3, $4, $5, $6, $6, NULL, $7, 0, 0, 0, '', '', $8) ON CONFLICT (id) DO NOTHING

-- name: one
SELECT id, direction, what, name, staff, started, seen, ended, state, total, done, error_zh, error_en, expires FROM exchange_run WHERE id = $1

-- name: newest
SELECT id, direction, what, name, staff, started, seen, ended, state, total, done, error_zh, error_en, expires FROM exchange_run
WHERE (started < $1 OR (started = $1 AND id < $2)) ORDER BY started DESC, id DESC LIMIT $3

-- name: turn
UPDATE exchange_run SET state = $3, seen = $4, ended = NULL, done = 0, stop = 0, error_zh = '', error_en = '' WHERE id = $1 AND state = $2

-- name: progress
UPDATE exchange_run SET seen = $2, done = $3 WHERE id = $1 AND state IN ('checking', 'running')

-- name: stop
UPDATE exchange_run SET stop = 1 WHERE id = $1 AND state = 'running'

-- name: is_to_stop
SELECT stop FROM exchange_run WHERE id = $1

-- name: finish
UPDATE exchange_run SET state = $2, seen = $3, ended = $3, total = $4, done = $5, error_zh = $6, error_en = $7
WHERE id = $1 AND state IN ('checking', 'running')

-- name: put_part
INSERT INTO exchange_part (run, part, sealed) VALUES ($1, $2, $3)
ON CONFLICT (run, part) DO UPDATE SET sealed = excluded.sealed

-- name: part
SELECT sealed FROM exchange_part WHERE run = $1 AND part = $2

-- name: has_part
SELECT COUNT(*) FROM exchange_part WHERE run = $1 AND part = $2

-- name: forget_parts
DELETE FROM exchange_part WHERE run IN (SELECT id FROM exchange_run WHERE expires <= $1)

-- name: places
SELECT p.n, p.entry, p.hash, e.received, e.body FROM entry_place p JOIN entry e ON e.id = p.entry ORDER BY p.n

-- name: entries
SELECT COUNT(*) FROM entry

-- name: changes
SELECT kind, id, n FROM directory_change ORDER BY n

-- name: wrong_clock
UPDATE publisher SET held_until = $1 WHERE id = 1

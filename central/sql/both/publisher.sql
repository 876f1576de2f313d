-- name: row
SELECT term, holder, held_until, n, head, received FROM publisher WHERE id = 1 {for_update}

-- name: start
INSERT INTO publisher (id, term, holder, held_until, n, head, received) VALUES (1, 0, '', 0, 0, $1, 0)
ON CONFLICT (id) DO NOTHING

-- name: hold
UPDATE publisher SET term = $1, holder = $2, held_until = $3 WHERE id = 1

-- name: advance
UPDATE publisher SET n = $1, head = $2, received = $3 WHERE id = 1

-- name: state
SELECT p.n, CASE WHEN EXISTS (SELECT 1 FROM entry e WHERE e.received > p.received) THEN 1 ELSE 0 END
FROM publisher p WHERE p.id = 1

-- name: waiting
SELECT id, received, kind, body FROM entry WHERE received > $1 ORDER BY received LIMIT $2

-- name: place
INSERT INTO entry_place (n, entry, hash) VALUES ($1, $2, $3)

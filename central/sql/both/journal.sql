-- name: gate
SELECT last_received FROM journal_gate WHERE id = 1 {for_update}

-- name: pass_gate
UPDATE journal_gate SET last_received = $1 WHERE id = 1

-- name: insert_entry
INSERT INTO entry (id, received, kind, body) VALUES ($1, $2, $3, $4)

-- name: is_taken
SELECT COUNT(*) FROM entry WHERE id = $1

-- name: published
SELECT n, head FROM publisher WHERE id = 1

-- name: club
SELECT id, name_zh, name_en, central_epoch, central_epoch_bits FROM club

-- name: entries_from
SELECT e.id, e.received, e.body, p.n, p.hash FROM entry_place p JOIN entry e ON e.id = p.entry
WHERE p.n > $1 ORDER BY p.n LIMIT $2

-- name: entries_after
SELECT id, received, body FROM entry WHERE received > $1 ORDER BY received LIMIT $2

-- name: newest_entry
SELECT id FROM entry ORDER BY received DESC LIMIT 1

-- What came over from another system, and the record of lists that were taken out.

-- name: put_opening
INSERT INTO opening (cause, batch, member, unit, amount, at, reason, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (cause) DO UPDATE SET amount = excluded.amount, reason = excluded.reason, entry = excluded.entry

-- name: put_past
INSERT INTO past_line (id, batch, member, at, points, growth, money, words, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (id) DO NOTHING

-- name: forget_past
DELETE FROM past_line WHERE member IN (WITH RECURSIVE gone (id) AS (SELECT id FROM member WHERE id = $1
    UNION SELECT m.id FROM member m JOIN gone g ON m.merged_into = g.id) SELECT id FROM gone)

-- name: put_export
INSERT INTO data_export (entry, what, rows, clear, staff, reason, actor, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: opening
SELECT amount FROM opening WHERE cause = $1

-- name: past
SELECT member, at, points, growth, money FROM past_line WHERE id = $1

-- name: past_of
WITH RECURSIVE those (id) AS (
    SELECT id FROM member WHERE id = $1 UNION SELECT m.id FROM member m JOIN those t ON m.merged_into = t.id)
SELECT p.member, p.at, p.points, p.growth, p.money, p.words, p.batch, p.id FROM past_line p JOIN those t ON t.id = p.member
WHERE (p.at < $2 OR (p.at = $2 AND p.id < $3)) ORDER BY p.at DESC, p.id DESC LIMIT $4

-- name: exports
SELECT what, rows, clear, staff, actor, at, entry FROM data_export
WHERE (at < $1 OR (at = $1 AND entry < $2)) ORDER BY at DESC, entry DESC LIMIT $3

-- Levels of members: what apply reads and writes, what people look at, and what the job looks at.

-- name: level
SELECT n, day, rank, since, until, in_grace FROM level_step WHERE member = $1 ORDER BY n DESC LIMIT 1

-- name: set_step
INSERT INTO level_step (member, n, day, why, from_rank, rank, since, until, in_grace, measured, threshold, scheme, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: steps
SELECT n, day, rank, since, until, in_grace, why, from_rank, measured, threshold, scheme FROM level_step
WHERE member = $1 AND n < $2 ORDER BY n DESC LIMIT $3

-- name: members
SELECT id, joined, level_zh, status_since FROM member WHERE status = 'active' AND erased = 0 AND merged_into IS NULL AND id > $1 ORDER BY id LIMIT $2

-- name: member
SELECT id, joined, level_zh, status_since FROM member WHERE status = 'active' AND erased = 0 AND merged_into IS NULL AND id = $1

-- name: newest
SELECT MAX(received) FROM entry

-- name: moved
SELECT b.member FROM entry e CROSS JOIN balance b
WHERE b.entry = e.id AND e.received > $1 AND b.unit <> 'CNY' AND b.member IS NOT NULL
UNION SELECT f.member FROM fact f
WHERE f.event IN ('visited', 'attended', 'earned') AND f.event = 'earned' AND f.received > $1 AND f.member IS NOT NULL
ORDER BY 1

-- name: stepped
SELECT e.received FROM level_step s JOIN entry e ON e.id = s.entry WHERE s.member = $1 ORDER BY s.n DESC LIMIT 1

-- name: points
SELECT p.day, p.code, p.debit, p.credit, p.amount, e.received, p.unit FROM posting p JOIN entry e ON e.id = p.entry
WHERE p.member = $1 AND p.unit <> 'CNY' AND p.day <= $2 ORDER BY p.day, p.id

-- name: spent
SELECT f.device, f.epoch, f.seq, f.body, f.day, f.received, f.became, f.told_became, e.received FROM fact f JOIN entry e ON e.id = f.entry
WHERE f.member = $1 AND f.event IN ('earned', 'reversed') AND f.day <= $2
AND (f.became IN ('applied', 'applied_with_case') OR COALESCE(f.told_became, 'applied') IN ('applied', 'applied_with_case'))
ORDER BY f.at, f.device, f.epoch, f.seq

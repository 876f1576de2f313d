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

-- name: points
SELECT p.day, p.code, p.debit, p.credit, p.amount, e.received FROM posting p JOIN entry e ON e.id = p.entry
WHERE p.member = $1 AND p.unit = 'PTS' AND p.day <= $2 ORDER BY p.day, p.id

-- name: spent
SELECT f.device, f.epoch, f.seq, f.body, f.day, f.received FROM fact f
WHERE f.member = $1 AND f.event IN ('earned', 'reversed') AND f.became IN ('applied', 'applied_with_case') AND f.day <= $2
ORDER BY f.at, f.device, f.epoch, f.seq

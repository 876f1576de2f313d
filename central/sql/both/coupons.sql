-- Coupons: what apply reads and writes, what people look at, and whom the job looks at.

-- name: coupon
SELECT id, member, why, fen, starts, until, scheme, used FROM coupon WHERE id = $1

-- name: set_coupon
INSERT INTO coupon (id, member, why, fen, starts, until, scheme, used, used_at, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (id) DO UPDATE SET until = excluded.until, used = excluded.used, used_at = excluded.used_at, entry = excluded.entry

-- name: of_member
WITH RECURSIVE those (id) AS (
    SELECT id FROM member WHERE id = $1 UNION SELECT m.id FROM member m JOIN those t ON m.merged_into = t.id)
SELECT c.id, c.member, c.why, c.fen, c.starts, c.until, c.scheme, c.used FROM coupon c JOIN those t ON t.id = c.member
ORDER BY c.starts, c.id LIMIT $2

-- name: page
WITH RECURSIVE those (id) AS (
    SELECT id FROM member WHERE id = $1 UNION SELECT m.id FROM member m JOIN those t ON m.merged_into = t.id)
SELECT c.id, c.member, c.why, c.fen, c.starts, c.until, c.scheme, c.used FROM coupon c JOIN those t ON t.id = c.member
WHERE (c.starts > $2 OR (c.starts = $2 AND c.id > $3)) ORDER BY c.starts, c.id LIMIT $4

-- name: page_down
WITH RECURSIVE those (id) AS (
    SELECT id FROM member WHERE id = $1 UNION SELECT m.id FROM member m JOIN those t ON m.merged_into = t.id)
SELECT c.id, c.member, c.why, c.fen, c.starts, c.until, c.scheme, c.used FROM coupon c JOIN those t ON t.id = c.member
WHERE (c.starts < $2 OR (c.starts = $2 AND c.id < $3)) ORDER BY c.starts DESC, c.id DESC LIMIT $4

-- name: members
SELECT id, joined, joined_said FROM member WHERE status = 'active' AND erased = 0 AND merged_into IS NULL AND id > $1 ORDER BY id LIMIT $2

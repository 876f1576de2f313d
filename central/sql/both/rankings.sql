-- Awards of rankings: what apply reads and writes, and what people look at.

-- name: award
SELECT id, starts, ends, place, member, points, reached, award, scheme, given, giver, office, item FROM ranking_award WHERE id = $1

-- name: set_award
INSERT INTO ranking_award (id, starts, ends, place, member, points, reached, award, scheme, given, giver, office, item, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (id) DO UPDATE SET given = excluded.given, giver = excluded.giver, office = excluded.office, item = excluded.item,
    entry = excluded.entry

-- name: awards
SELECT a.id, a.starts, a.ends, a.place, a.member, a.points, a.reached, a.award, a.scheme, a.given, a.giver, a.office, a.item, m.number
FROM ranking_award a JOIN member m ON m.id = a.member
WHERE a.ends < $1 OR (a.ends = $1 AND (a.place > $2 OR (a.place = $2 AND a.id > $3)))
ORDER BY a.ends DESC, a.place, a.id LIMIT $4

-- name: awards_of
WITH RECURSIVE those (id) AS (
    SELECT id FROM member WHERE id = $1 UNION SELECT m.id FROM member m JOIN those t ON m.merged_into = t.id)
SELECT a.id, a.starts, a.ends, a.place, a.member, a.points, a.reached, a.award, a.scheme, a.given, a.giver, a.office, a.item
FROM ranking_award a JOIN those t ON t.id = a.member
WHERE a.ends < $2 OR (a.ends = $2 AND (a.place > $3 OR (a.place = $3 AND a.id > $4)))
ORDER BY a.ends DESC, a.place, a.id LIMIT $5

-- Uses of the birthday's discount: what apply reads and writes, and what people look at.

-- name: birthday
SELECT id, member, office, day, at, slip, scheme, used_by, taken_back, taken_back_by FROM birthday_use WHERE id = $1

-- name: set_birthday
INSERT INTO birthday_use (id, member, office, day, at, slip, scheme, used_by, taken_back, taken_back_by, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (id) DO UPDATE SET taken_back = excluded.taken_back, taken_back_by = excluded.taken_back_by, entry = excluded.entry

-- name: of_member
WITH RECURSIVE those (id) AS (
    SELECT id FROM member WHERE id = $1 UNION SELECT m.id FROM member m JOIN those t ON m.merged_into = t.id)
SELECT b.id, b.member, b.office, b.day, b.at, b.slip, b.scheme, b.used_by, b.taken_back, b.taken_back_by
FROM birthday_use b JOIN those t ON t.id = b.member ORDER BY b.at, b.id

-- name: page
SELECT id, member, office, day, at, slip, scheme, used_by, taken_back, taken_back_by FROM birthday_use
WHERE day >= $1 AND day <= $2 AND (at > $3 OR (at = $3 AND id > $4)) ORDER BY at, id LIMIT $5

-- name: page_of_office
SELECT id, member, office, day, at, slip, scheme, used_by, taken_back, taken_back_by FROM birthday_use
WHERE day >= $1 AND day <= $2 AND (at > $3 OR (at = $3 AND id > $4)) AND office = $6 ORDER BY at, id LIMIT $5

-- name: newest
SELECT id, member, office, day, at, slip, scheme, used_by, taken_back, taken_back_by FROM birthday_use
WHERE day >= $1 AND day <= $2 ORDER BY at DESC, id DESC LIMIT $3

-- name: first_card
WITH RECURSIVE those (id) AS (
    SELECT id FROM member WHERE id = $1 UNION SELECT m.id FROM member m JOIN those t ON m.merged_into = t.id)
SELECT c.issued FROM card c JOIN those t ON t.id = c.member WHERE c.issued IS NOT NULL ORDER BY c.issued, c.id LIMIT 1

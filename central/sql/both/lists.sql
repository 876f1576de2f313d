-- Lists that are taken out of the centre, page by page.

-- name: members
SELECT id, number, level_zh, level_en, status, office, personal, CASE WHEN joined_said = 1 THEN joined END FROM member
WHERE number > $1 AND erased = 0 AND merged_into IS NULL ORDER BY number LIMIT $2

-- name: stock_cards
SELECT id, member, kind, status, tail, valid_from, valid_until FROM card WHERE member IS NULL AND id > $1 ORDER BY id LIMIT $2

-- name: balances
SELECT unit, class, amount FROM balance WHERE member = $1 ORDER BY unit, class

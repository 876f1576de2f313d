-- Statements of import, and of members and cards for the console.

-- name: members_known
SELECT id, number, level_zh, level_en, status, office, personal, CASE WHEN joined_said = 1 THEN joined END FROM member

-- name: members_living
SELECT number, id, office FROM member WHERE erased = 0 AND merged_into IS NULL

-- name: member_is_living
SELECT id FROM member WHERE id = $1 AND erased = 0 AND merged_into IS NULL

-- name: office_codes
SELECT id, code, name_zh, name_en, zone, cutoff_minutes, office_group FROM office ORDER BY code

-- name: card_by_token
SELECT c.id, c.member, c.kind, c.status, c.tail, c.valid_from, c.valid_until FROM card_token t JOIN card c ON c.id = t.card WHERE t.token = $1

-- name: card_tokens
SELECT token FROM card_token WHERE card = $1 ORDER BY token

-- name: occurrence
SELECT id, activity, name_zh, name_en, starts, ends, state, admits_once, points, places, offices, exits, gifts, guests, audience FROM occurrence WHERE id = $1

-- name: file_known
SELECT name, imported_at FROM import_file WHERE hash = $1

-- name: file_taken
INSERT INTO import_file (hash, kind, name, rows, imported_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (hash) DO UPDATE SET name = excluded.name, rows = excluded.rows, imported_at = excluded.imported_at

-- name: member
SELECT id, number, level_zh, level_en, status, office, personal, CASE WHEN joined_said = 1 THEN joined END FROM member WHERE id = $1

-- name: member_by_number
SELECT id FROM member WHERE number = $1

-- name: member_page
SELECT id, number, level_zh, level_en, status, office, personal, CASE WHEN joined_said = 1 THEN joined END FROM member WHERE number > $1 ORDER BY number LIMIT $2

-- name: members_by_number
SELECT id, joined FROM member WHERE number > $1 AND ($2 = '' OR status = $2)
AND ($3 = '' OR office = (SELECT id FROM office WHERE code = $3)) ORDER BY number LIMIT $4

-- name: members_by_joined
SELECT id, joined FROM member WHERE (joined, id) > ($1, $2) AND ($3 = '' OR status = $3)
AND ($4 = '' OR office = (SELECT id FROM office WHERE code = $4)) ORDER BY joined, id LIMIT $5

-- name: members_by_joined_down
SELECT id, joined FROM member WHERE (joined, id) < ($1, $2) AND ($3 = '' OR status = $3)
AND ($4 = '' OR office = (SELECT id FROM office WHERE code = $4)) ORDER BY joined DESC, id DESC LIMIT $5

-- name: chosen_by_number
SELECT m.id, m.joined FROM member m WHERE m.number > $1 AND m.erased = 0 AND m.merged_into IS NULL AND ($2 = '' OR m.status = $2)
AND ($3 = '' OR m.office = (SELECT o.id FROM office o WHERE o.code = $3)) AND ($4 = '' OR m.level_zh = $4)
AND ($5 = '' OR EXISTS (SELECT 1 FROM member_detail d WHERE d.member = m.id AND d.kind = $5))
AND ($6 = '' OR EXISTS (SELECT 1 FROM vault_tag t WHERE t.member = m.id AND t.hmac = $7)) ORDER BY m.number LIMIT $8

-- name: chosen_by_joined
SELECT m.id, m.joined FROM member m WHERE (m.joined, m.id) > ($1, $2) AND m.erased = 0 AND m.merged_into IS NULL AND ($3 = '' OR m.status = $3)
AND ($4 = '' OR m.office = (SELECT o.id FROM office o WHERE o.code = $4)) AND ($5 = '' OR m.level_zh = $5)
AND ($6 = '' OR EXISTS (SELECT 1 FROM member_detail d WHERE d.member = m.id AND d.kind = $6))
AND ($7 = '' OR EXISTS (SELECT 1 FROM vault_tag t WHERE t.member = m.id AND t.hmac = $8)) ORDER BY m.joined, m.id LIMIT $9

-- name: chosen_by_joined_down
SELECT m.id, m.joined FROM member m WHERE (m.joined, m.id) < ($1, $2) AND m.erased = 0 AND m.merged_into IS NULL AND ($3 = '' OR m.status = $3)
AND ($4 = '' OR m.office = (SELECT o.id FROM office o WHERE o.code = $4)) AND ($5 = '' OR m.level_zh = $5)
AND ($6 = '' OR EXISTS (SELECT 1 FROM member_detail d WHERE d.member = m.id AND d.kind = $6))
AND ($7 = '' OR EXISTS (SELECT 1 FROM vault_tag t WHERE t.member = m.id AND t.hmac = $8)) ORDER BY m.joined DESC, m.id DESC LIMIT $9

-- name: chosen_count
SELECT COUNT(*) FROM (SELECT m.id FROM member m WHERE m.erased = 0 AND m.merged_into IS NULL AND ($1 = '' OR m.status = $1)
AND ($2 = '' OR m.office = (SELECT o.id FROM office o WHERE o.code = $2)) AND ($3 = '' OR m.level_zh = $3)
AND ($4 = '' OR EXISTS (SELECT 1 FROM member_detail d WHERE d.member = m.id AND d.kind = $4))
AND ($5 = '' OR EXISTS (SELECT 1 FROM vault_tag t WHERE t.member = m.id AND t.hmac = $6)) LIMIT 10001) AS counted

-- name: levels_met
WITH RECURSIVE met(zh) AS (SELECT MIN(level_zh) FROM member
    UNION ALL SELECT (SELECT MIN(n.level_zh) FROM member n WHERE n.level_zh > met.zh) FROM met WHERE met.zh IS NOT NULL)
SELECT met.zh, (SELECT m.level_en FROM member m WHERE m.level_zh = met.zh LIMIT 1) FROM met WHERE met.zh IS NOT NULL LIMIT 50

-- name: member_count
SELECT COUNT(*) FROM (SELECT id FROM member LIMIT 10001) AS counted

-- name: member_count_of
SELECT COUNT(*) FROM (SELECT id FROM member WHERE office = (SELECT id FROM office WHERE code = $1) LIMIT 10001) AS counted

-- name: cards_of
SELECT id, member, kind, status, tail, valid_from, valid_until FROM card WHERE member = $1 ORDER BY id

-- name: card
SELECT id, member, kind, status, tail, valid_from, valid_until FROM card WHERE id = $1

-- name: block_state
SELECT c.status, x.n, CASE WHEN EXISTS (SELECT 1 FROM entry_place p WHERE p.entry = c.status_entry) THEN 1 ELSE 0 END
FROM card c LEFT JOIN directory_change x ON x.kind = 'block' AND x.id = c.id WHERE c.id = $1

-- name: devices_with_block
SELECT COUNT(*) FROM device d JOIN device_contact c ON c.device = d.id JOIN club k ON c.block_epoch = k.central_epoch WHERE d.status = 'active' AND c.block_n >= $1

-- name: devices_lacking_block
SELECT d.name FROM device d WHERE d.status = 'active' AND NOT EXISTS (SELECT 1 FROM device_contact c JOIN club k ON c.block_epoch = k.central_epoch WHERE c.device = d.id AND c.block_n >= $1) ORDER BY d.name LIMIT 20

-- name: devices_active
SELECT COUNT(*) FROM device WHERE status = 'active'

-- name: balances_of
SELECT class, unit, amount FROM balance WHERE member = $1 ORDER BY class, unit

-- name: postings_of
SELECT p.at, p.amount, p.code, p.debit, p.credit, p.conflict, d.name, o.batch FROM posting p LEFT JOIN device d ON d.id = p.device LEFT JOIN opening o ON o.cause = p.cause WHERE p.member = $1 AND p.unit = 'PTS' ORDER BY p.at DESC, p.ordinal DESC LIMIT $2

-- name: facts_of
SELECT f.at, f.received, f.event, f.became, f.kind, d.name, o.code FROM fact f JOIN device d ON d.id = f.device JOIN office o ON o.id = f.office WHERE f.member = $1 ORDER BY f.at DESC LIMIT $2

-- name: member_of_fact
SELECT member FROM fact WHERE device = $1 AND epoch = $2 AND seq = $3

-- name: level_brought
SELECT level_zh, status_since FROM member WHERE id = $1

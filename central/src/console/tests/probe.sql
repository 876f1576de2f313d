-- name: points
SELECT CAST(COALESCE(SUM(CASE WHEN credit = $1 THEN amount WHEN debit = $1 THEN -amount ELSE 0 END), 0) AS BIGINT) FROM posting WHERE unit = 'PTS'

-- name: owed
SELECT CAST(COALESCE(SUM(CASE WHEN debit = $1 THEN amount WHEN credit = $1 THEN -amount ELSE 0 END), 0) AS BIGINT) FROM posting WHERE unit = 'PTS'

-- name: state
SELECT state FROM conflict WHERE id = $1

-- name: verdict
SELECT verdict FROM conflict WHERE id = $1

-- name: notes
SELECT COUNT(*) FROM act_note

-- name: held
SELECT COUNT(*) FROM fact WHERE became = 'held'

-- name: card
SELECT status FROM card WHERE id = $1

-- name: entries
SELECT COUNT(*) FROM entry

-- name: admitted_by
SELECT COUNT(*) FROM attendance WHERE member = $1 AND occurrence = $2 AND device = $3

-- name: sums_not_zero
SELECT COUNT(*) FROM (SELECT unit FROM balance GROUP BY unit HAVING SUM(amount) <> 0) AS uneven

-- name: some_facts
SELECT device, epoch, seq FROM fact ORDER BY device, epoch, seq LIMIT 30

-- name: add_fact
INSERT INTO conflict_fact (conflict, device, epoch, seq) VALUES ($1, $2, $3, $4)
ON CONFLICT (conflict, device, epoch, seq) DO NOTHING

-- name: open_of_kind
SELECT COUNT(*) FROM conflict WHERE kind = $1 AND state = 'open'

-- name: add_case
INSERT INTO conflict (id, kind, state, token, detail, automatic, opened, changed, entry)
VALUES ($1, 13, 'open', $2, $2, 'held', $3, $3, $4)

-- name: a_device
SELECT e.device FROM device_epoch e JOIN device d ON d.id = e.device WHERE d.status = 'active' AND e.acked_seq > 0 ORDER BY e.device LIMIT 1

-- name: a_card_in_use
SELECT t.token, c.member FROM card_token t JOIN card c ON c.id = t.card WHERE c.member IS NOT NULL AND c.status = 'active' ORDER BY t.token LIMIT 1

-- name: with_points
SELECT member FROM balance WHERE class = 'available' AND unit = 'PTS' AND amount >= $1 ORDER BY member LIMIT 1

-- name: spoil_name
UPDATE vault_member SET name = $2 WHERE member = $1

-- name: form_terms
SELECT COUNT(*) FROM vault_form

-- name: entry_bodies
SELECT body FROM entry

-- name: set_role
UPDATE staff SET role = $1 WHERE login = 'admin'

-- name: attended
SELECT DISTINCT occurrence FROM attendance ORDER BY occurrence LIMIT 5

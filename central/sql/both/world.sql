-- name: offices
SELECT id, code, name_zh, name_en, zone, cutoff_minutes FROM office

-- name: schemes
SELECT terms FROM scheme

-- name: occurrence
SELECT id, activity, name_zh, name_en, starts, ends, state, admits_once, points, places, offices FROM occurrence WHERE id = $1

-- name: device
SELECT office, name, status, epoch FROM device WHERE id = $1 {for_update}

-- name: device_epoch
SELECT first_key, seal_key, board, enrolled_at, acked_seq, head, last_at FROM device_epoch WHERE device = $1 AND epoch = $2 {for_update}

-- name: device_keys
SELECT public_key FROM device_key WHERE device = $1 AND epoch = $2

-- name: boot
SELECT boot, offset_low, offset_high FROM boot WHERE device = $1 AND epoch = $2 AND seq = $3

-- name: card_by_token
SELECT c.id, c.member, c.status FROM card_token t JOIN card c ON c.id = t.card WHERE t.token = $1

-- name: card_by_id
SELECT id, member, status FROM card WHERE id = $1 {for_update}

-- name: taps
SELECT seq, body FROM fact WHERE device = $1 AND epoch = $2 AND token = $3 AND event IN ('attended', 'earned', 'visited') AND NOT (became = 'merged' AND COALESCE(kind, 0) = 2) ORDER BY seq DESC LIMIT 50

-- name: group_facts
SELECT device, epoch, seq, at, office, pin, became, kind FROM fact WHERE member = $1 AND occurrence = $2 AND event = 'attended' AND became <> 'held' AND NOT (became = 'merged' AND COALESCE(kind, 0) = 2) AND NOT (became = 'no_effect' AND COALESCE(kind, 0) = 28)
ORDER BY device, epoch, seq

-- name: group
SELECT device, epoch, seq, points, issuer, postings FROM attendance WHERE member = $1 AND occurrence = $2 {for_update}

-- name: fact_in_review
SELECT body, at, office FROM fact WHERE device = $1 AND epoch = $2 AND seq = $3 AND became = 'quarantined' AND kind IN (22, 26)

-- name: held_facts
SELECT device, epoch, seq, body, at, office FROM fact WHERE token = $1 AND became = 'held' AND kind = 13
ORDER BY device, epoch, seq

-- name: range_facts
SELECT seq, body, became FROM fact WHERE device = $1 AND epoch = $2 AND seq BETWEEN $3 AND $4 ORDER BY seq

-- name: case
SELECT kind, state, member, occurrence, device, token, detail, automatic, verdict, opened, changed, deadline FROM conflict WHERE id = $1 {for_update}

-- name: case_facts
SELECT device, epoch, seq FROM conflict_fact WHERE conflict = $1 ORDER BY device, epoch, seq

-- name: last_notice
SELECT MAX(n) FROM notice WHERE device = $1

-- name: available
SELECT amount FROM balance WHERE account = $1 AND unit = 'PTS' {for_update}

-- name: fact_hash
SELECT hash FROM fact WHERE device = $1 AND epoch = $2 AND seq = $3

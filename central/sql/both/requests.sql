-- Forms that wait for a person: applications to join, and requests to change a member's data.

-- name: applications
SELECT f.device, f.epoch, f.seq, f.received, f.office, f.became, f.kind, a.looked_up, d.name FROM application a
JOIN fact f ON f.device = a.device AND f.epoch = a.epoch AND f.seq = a.seq
JOIN device d ON d.id = f.device
WHERE f.member IS NULL AND f.pin IS NULL AND f.became <> 'quarantined'
ORDER BY f.received, f.device, f.epoch, f.seq LIMIT $1

-- name: application
SELECT f.device, f.epoch, f.seq, f.received, f.office, f.became, f.kind, a.looked_up, d.name FROM application a
JOIN fact f ON f.device = a.device AND f.epoch = a.epoch AND f.seq = a.seq
JOIN device d ON d.id = f.device
WHERE f.device = $1 AND f.epoch = $2 AND f.seq = $3 AND f.member IS NULL AND f.pin IS NULL AND f.became <> 'quarantined'

-- name: lapsed
SELECT f.device, f.epoch, f.seq, f.received, f.office, f.became, f.kind, a.looked_up, d.name FROM message m
JOIN application a ON a.device = m.device AND a.epoch = m.epoch AND a.seq = m.seq
JOIN fact f ON f.device = a.device AND f.epoch = a.epoch AND f.seq = a.seq
JOIN device d ON d.id = f.device
WHERE m.about = 'lapsed' AND f.member IS NULL AND f.pin = 0
ORDER BY f.received, f.device, f.epoch, f.seq LIMIT $1

-- name: lapsed_one
SELECT f.device, f.epoch, f.seq, f.received, f.office, f.became, f.kind, a.looked_up, d.name FROM application a
JOIN fact f ON f.device = a.device AND f.epoch = a.epoch AND f.seq = a.seq
JOIN device d ON d.id = f.device
WHERE f.device = $1 AND f.epoch = $2 AND f.seq = $3 AND f.member IS NULL AND f.pin = 0
AND EXISTS (SELECT 1 FROM message m WHERE m.about = 'lapsed' AND m.device = f.device AND m.epoch = f.epoch AND m.seq = f.seq)

-- name: changes
SELECT f.device, f.epoch, f.seq, f.received, f.office, f.became, f.kind, f.member, d.name, f.body FROM fact f
JOIN device d ON d.id = f.device
WHERE f.event = 'profile_change_requested' AND f.became IN ('applied', 'applied_with_case', 'held')
ORDER BY f.received DESC, f.device, f.epoch, f.seq LIMIT $1

-- name: change
SELECT f.device, f.epoch, f.seq, f.received, f.office, f.became, f.kind, f.member, d.name, f.body FROM fact f
JOIN device d ON d.id = f.device
WHERE f.device = $1 AND f.epoch = $2 AND f.seq = $3 AND f.event = 'profile_change_requested' AND f.became IN ('applied', 'applied_with_case', 'held')

-- name: is_linked
SELECT seq FROM fact_link WHERE link = $1 AND device = $2 AND epoch = $3 AND seq = $4

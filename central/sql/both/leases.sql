-- name: unechoed
SELECT l.lease, l.generation, l.device, l.enrolment, l.member, l.unit, l.granted_total, l.settled, l.lost, l.released, l.written_off, l.disputed, l.dismissed, l.spent_reported, l.last_seq, l.holes, l.closed, l.ttl_s, l.reboot_cost_s, l.reboots_max, l.version_epoch, l.version_n, l.set_at, l.first_epoch
FROM lease l JOIN device d ON d.id = l.device AND d.epoch = l.enrolment
LEFT JOIN lease_echo e ON e.device = l.device AND e.lease = l.lease
WHERE l.device = $1 AND l.is_open = 1 AND (e.lease IS NULL OR e.epoch < l.version_epoch OR (e.epoch = l.version_epoch AND e.n < l.version_n))
ORDER BY l.set_at, l.lease LIMIT $2

-- name: set_echo
INSERT INTO lease_echo (device, lease, epoch, n) VALUES ($1, $2, $3, $4)
ON CONFLICT (device, lease) DO UPDATE SET epoch = excluded.epoch, n = excluded.n

-- name: raised
SELECT amount FROM lease_raised WHERE device = $1 AND day = $2 AND unit = $3

-- name: open_raised
INSERT INTO lease_raised (device, day, unit, amount) VALUES ($1, $2, $3, 0)
ON CONFLICT (device, day, unit) DO NOTHING

-- name: add_raised
UPDATE lease_raised SET amount = amount + $4 WHERE device = $1 AND day = $2 AND unit = $3

-- name: recalls
SELECT r.lease, r.generation, r.device, r.asker, r.asked_at, r.amount, l.is_open, c.last_contact, o.name_zh, o.name_en
FROM recall r JOIN lease l ON l.lease = r.lease AND l.generation = r.generation
JOIN device d ON d.id = r.device JOIN office o ON o.id = d.office
LEFT JOIN device_contact c ON c.device = r.device
WHERE r.member = $1 AND r.unit = $2 ORDER BY r.lease, r.generation

-- name: newest_recall
SELECT MAX(asked_at) FROM recall

-- name: set_recall
INSERT INTO recall (lease, generation, device, member, unit, asker, asked_at, amount) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (lease, generation) DO NOTHING

-- name: drop_recalls
DELETE FROM recall WHERE member = $1 AND unit = $2

-- name: orders
SELECT r.lease, r.generation FROM recall r JOIN lease l ON l.lease = r.lease AND l.generation = r.generation
JOIN device d ON d.id = l.device AND d.epoch = l.enrolment
WHERE r.device = $1 AND l.is_open = 1 AND r.asked_at >= $2
UNION SELECT lease, generation FROM lease WHERE device = $1 AND written_off IS NOT NULL AND closed IS NULL
UNION SELECT l.lease, l.generation FROM lease l JOIN device d ON d.id = l.device AND d.epoch = l.enrolment
JOIN member m ON m.id = l.member LEFT JOIN member s ON s.id = m.merged_into
WHERE l.device = $1 AND l.is_open = 1 AND l.unit = 'CNY' AND (m.value_frozen = 1 OR s.value_frozen = 1)
ORDER BY 1, 2 LIMIT 16

-- name: held
SELECT l.lease FROM lease l JOIN device d ON d.id = l.device AND d.epoch = l.enrolment
WHERE l.member = $1 AND l.is_open = 1

-- name: active_cards
SELECT COUNT(*) FROM card WHERE member = $1 AND status = 'active'

-- name: seen_by_others
SELECT COUNT(*) FROM (SELECT 1 FROM fact WHERE member = $1 AND office = $2 AND device <> $3 AND at >= $4 LIMIT 1) AS seen

-- name: candidates
SELECT DISTINCT b.member FROM balance b WHERE b.class = 'available' AND b.unit <> 'GROWTH' AND b.amount > 0 AND b.member IS NOT NULL
AND EXISTS (SELECT 1 FROM fact f WHERE f.member = b.member AND f.office = $1 AND f.device <> $2 AND f.at >= $3)
AND NOT EXISTS (SELECT 1 FROM lease l JOIN device d ON d.id = l.device AND d.epoch = l.enrolment
WHERE l.device = $2 AND l.member = b.member AND l.is_open = 1)
ORDER BY b.member LIMIT $4

-- name: before_activity
SELECT DISTINCT b.member FROM balance b WHERE b.class = 'available' AND b.unit <> 'GROWTH' AND b.amount > 0 AND b.member IS NOT NULL
AND EXISTS (SELECT 1 FROM fact f WHERE f.member = b.member AND f.office = $1 AND f.device <> $2 AND f.at >= $3)
ORDER BY b.member LIMIT $4

-- name: starting
SELECT id, activity, name_zh, name_en, starts, ends, state, admits_once, points, places, offices, exits, gifts, guests, audience FROM occurrence
WHERE state = 'approved' AND starts > $1 AND starts <= $2

-- name: devices_after
SELECT id, office FROM device WHERE status = 'active' AND id > $1 ORDER BY id LIMIT $2

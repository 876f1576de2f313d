-- Figures of the console's first page, and lists behind them. Facts of a day are looked up office by office: a club of many
-- years shows its page as soon as a young one.

-- name: day_counts
SELECT event, COUNT(*), COUNT(DISTINCT member) FROM fact WHERE office IN (SELECT id FROM office WHERE $2 = '' OR code = $2) AND day = $1 AND event IN ('attended', 'earned', 'visited', 'refused') AND became NOT IN ('merged', 'no_effect', 'quarantined') GROUP BY event ORDER BY event

-- name: day_members
SELECT COUNT(DISTINCT member) FROM fact WHERE office IN (SELECT id FROM office WHERE $2 = '' OR code = $2) AND day = $1 AND member IS NOT NULL AND event IN ('attended', 'earned', 'visited')

-- name: day_points
SELECT CAST(COALESCE(SUM(CASE WHEN code = 'reversal' THEN -amount ELSE amount END), 0) AS BIGINT) FROM posting WHERE day = $1 AND unit = 'PTS' AND member IS NOT NULL AND code IN ('earn_activity', 'earn_event', 'earn_purchase', 'reversal')

-- name: day_points_of
SELECT CAST(COALESCE(SUM(CASE WHEN p.code = 'reversal' THEN -p.amount ELSE p.amount END), 0) AS BIGINT) FROM posting p JOIN fact f ON f.device = p.device AND f.epoch = p.epoch AND f.seq = p.seq
WHERE p.day = $1 AND p.unit = 'PTS' AND p.member IS NOT NULL AND p.code IN ('earn_activity', 'earn_event', 'earn_purchase', 'reversal') AND f.office = (SELECT id FROM office WHERE code = $2)

-- name: cases_opened
SELECT COUNT(*) FROM conflict WHERE state IN ('open', 'decided', 'closed', 'evidence_changed') AND opened >= $1 AND opened < $2

-- name: day_devices
SELECT COUNT(DISTINCT device) FROM fact WHERE office IN (SELECT id FROM office WHERE $2 = '' OR code = $2) AND day = $1

-- name: unclosed
SELECT f.device, d.name, o.code, o.name_zh, o.name_en, f.day, COUNT(*) FROM office x CROSS JOIN fact f JOIN device d ON d.id = f.device JOIN office o ON o.id = d.office
WHERE f.office = x.id AND ($4 = '' OR x.code = $4) AND f.day >= $1 AND f.day < $2 AND NOT EXISTS (SELECT 1 FROM fact c WHERE c.device = f.device AND c.event = 'day_closed' AND c.day >= f.day AND c.at >= f.at)
GROUP BY f.device, d.name, o.code, o.name_zh, o.name_en, f.day ORDER BY f.day, d.name LIMIT $3

-- name: latest
SELECT f.at, f.received, f.event, f.became, f.kind, f.member, d.name, o.code FROM office o CROSS JOIN fact f JOIN device d ON d.id = f.device
WHERE f.office = o.id AND ($2 = '' OR o.code = $2) AND f.day = $1 AND f.event IN ('attended', 'earned', 'visited', 'refused') ORDER BY f.at DESC LIMIT 50

-- name: day_list
SELECT f.at, f.received, f.event, f.became, f.kind, f.member, d.name, o.code FROM office o CROSS JOIN fact f JOIN device d ON d.id = f.device
WHERE f.office = o.id AND ($4 = '' OR o.code = $4) AND f.day = $1 AND f.event = $2 ORDER BY f.at DESC, f.device, f.seq DESC LIMIT $3

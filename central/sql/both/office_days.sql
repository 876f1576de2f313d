-- The close of offices' business days: what apply reads and writes, and what people look at.

-- name: steps
SELECT at, by_whom, detail FROM office_day_step WHERE office = $1 AND day = $2 ORDER BY n

-- name: set_step
INSERT INTO office_day_step (office, day, n, what, at, by_whom, detail, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: steps_between
SELECT at, by_whom, detail, office, day FROM office_day_step WHERE day >= $1 AND day <= $2 ORDER BY office, day, n

-- name: open_cases
SELECT DISTINCT c.kind, c.opened, c.id FROM fact f
JOIN conflict_fact x ON x.device = f.device AND x.epoch = f.epoch AND x.seq = f.seq JOIN conflict c ON c.id = x.conflict
WHERE f.office = $1 AND f.day = $2 AND c.state IN ('open', 'evidence_changed') ORDER BY c.kind, c.opened, c.id

-- name: case_counts
SELECT f.office, f.day, COUNT(DISTINCT c.id) FROM conflict c JOIN conflict_fact x ON x.conflict = c.id
JOIN fact f ON f.device = x.device AND f.epoch = x.epoch AND f.seq = x.seq
WHERE c.state IN ('open', 'evidence_changed') AND f.day >= $1 AND f.day <= $2 GROUP BY f.office, f.day ORDER BY f.office, f.day

-- name: counts
SELECT f.office, f.day, COUNT(*), COUNT(DISTINCT f.device) FROM office o CROSS JOIN fact f
WHERE f.office = o.id AND f.day >= $1 AND f.day <= $2 GROUP BY f.office, f.day ORDER BY f.office, f.day

-- name: newest_before
SELECT day FROM fact WHERE office = $1 AND day < $2 ORDER BY day DESC LIMIT 1

-- name: later
SELECT f.device, f.epoch, f.seq, f.event, f.at, f.day, f.received, e.received, f.became, f.kind, f.member FROM fact f
JOIN entry e ON e.id = f.entry
WHERE f.office = $1 AND f.day >= $2 AND f.day <= $3
AND ((f.received >= $4 AND f.received < $5) OR (e.received >= $4 AND e.received < $5))
ORDER BY f.day, f.device, f.epoch, f.seq

-- name: moved
SELECT p.unit, CAST(SUM((CASE WHEN p.credit LIKE 'member/%' THEN p.amount ELSE 0 END) - (CASE WHEN p.debit LIKE 'member/%' THEN p.amount ELSE 0 END)) AS BIGINT)
FROM posting p JOIN entry e ON e.id = p.entry
WHERE p.device = $1 AND p.epoch = $2 AND p.seq = $3 AND e.received >= $4 AND e.received < $5 GROUP BY p.unit ORDER BY p.unit

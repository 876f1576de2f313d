-- name: day_facts
SELECT device, epoch, seq, body, at, became, kind, member, occurrence, office, high FROM fact
WHERE device = $1 AND day = $2 ORDER BY epoch, seq

-- name: closings
SELECT epoch, body FROM fact WHERE device = $1 AND event = 'day_closed' ORDER BY epoch DESC, seq DESC

-- name: range
SELECT body, became FROM fact WHERE device = $1 AND epoch = $2 AND seq BETWEEN $3 AND $4 ORDER BY seq

-- name: admitted
SELECT device, epoch, seq FROM attendance WHERE member = $1 AND occurrence = $2

-- name: cause_net
SELECT CAST(COALESCE(SUM(CASE WHEN credit = $2 THEN amount WHEN debit = $2 THEN -amount ELSE 0 END), 0) AS BIGINT)
FROM posting WHERE cause = $1 AND unit = 'PTS'

-- name: rated_by
SELECT scheme FROM posting WHERE cause = $1 AND unit = 'PTS' ORDER BY ordinal DESC LIMIT 1

-- name: fact_case
SELECT conflict FROM conflict_fact WHERE device = $1 AND epoch = $2 AND seq = $3 ORDER BY conflict LIMIT 1

-- name: terminals
SELECT d.id, d.name, d.office, d.status FROM device d WHERE d.epoch > 0 ORDER BY d.name

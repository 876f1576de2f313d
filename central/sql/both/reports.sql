-- Figures of reports, grouped by the stored business day. Facts are looked up office by office, postings by their day.

-- name: counts
SELECT day, event, COUNT(*) FROM fact
WHERE office = $1 AND day >= $2 AND day <= $3 AND event IN ('attended', 'visited', 'earned', 'visitor_registered', 'refused')
AND became NOT IN ('merged', 'no_effect', 'quarantined') GROUP BY day, event ORDER BY day, event

-- name: members_at
SELECT COUNT(DISTINCT member) FROM fact
WHERE office = $1 AND day >= $2 AND day <= $3 AND member IS NOT NULL AND event IN ('attended', 'visited', 'earned')
AND became NOT IN ('merged', 'no_effect', 'quarantined')

-- name: members_anywhere
SELECT COUNT(DISTINCT member) FROM fact
WHERE office IN (SELECT id FROM office) AND day >= $1 AND day <= $2 AND member IS NOT NULL
AND event IN ('attended', 'visited', 'earned') AND became NOT IN ('merged', 'no_effect', 'quarantined')

-- name: movements
SELECT p.day, p.code,
    CASE WHEN p.debit LIKE 'member/%' OR p.debit LIKE 'escrow/%' THEN 'members' WHEN p.debit LIKE 'held/%' THEN 'held'
        WHEN p.debit LIKE 'suspense/%' OR p.debit LIKE 'loss/%' THEN 'other' ELSE p.debit END AS taken_from,
    CASE WHEN p.credit LIKE 'member/%' OR p.credit LIKE 'escrow/%' THEN 'members' WHEN p.credit LIKE 'held/%' THEN 'held'
        WHEN p.credit LIKE 'suspense/%' OR p.credit LIKE 'loss/%' THEN 'other' ELSE p.credit END AS given_to,
    COALESCE(f.office, c.office), COALESCE(f.event, ''), CAST(SUM(p.amount) AS BIGINT)
FROM posting p
LEFT JOIN fact f ON (p.debit LIKE 'held/%' OR p.credit LIKE 'held/%') AND f.device = p.device AND f.epoch = p.epoch AND f.seq = p.seq
LEFT JOIN points_change c ON (p.debit LIKE 'held/%' OR p.credit LIKE 'held/%') AND c.posting = p.cause
WHERE p.day >= $1 AND p.day <= $2 AND p.unit = $3
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6

-- name: outstanding
SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM balance WHERE unit = $1 AND (account LIKE 'member/%' OR class = 'escrow')

-- name: moved_after
SELECT CAST(COALESCE(SUM(CASE WHEN credit LIKE 'member/%' OR credit LIKE 'escrow/%' THEN amount ELSE 0 END
    - CASE WHEN debit LIKE 'member/%' OR debit LIKE 'escrow/%' THEN amount ELSE 0 END), 0) AS BIGINT)
FROM posting WHERE day > $1 AND unit = $2

-- name: gates
SELECT f.occurrence, o.name_zh, o.name_en, o.starts, d.name, COUNT(*), COUNT(DISTINCT f.member)
FROM fact f JOIN occurrence o ON o.id = f.occurrence JOIN device d ON d.id = f.device
WHERE f.office = $1 AND f.day >= $2 AND f.day <= $3 AND f.event = 'attended' AND f.became NOT IN ('merged', 'no_effect', 'quarantined')
GROUP BY f.occurrence, o.name_zh, o.name_en, o.starts, d.id, d.name ORDER BY o.starts, f.occurrence, d.name, d.id

-- name: items
SELECT day, kind, office, COUNT(*), CAST(SUM(points) AS BIGINT), CAST(SUM(fen) AS BIGINT), CAST(SUM(pieces) AS BIGINT)
FROM item_redemption WHERE day >= $1 AND day <= $2 AND state = 'done' GROUP BY day, kind, office ORDER BY day, kind, office

-- name: plans
SELECT l.day, p.name_zh, p.name_en, COUNT(*), CAST(SUM(l.points) AS BIGINT), CAST(SUM(l.fen) AS BIGINT), CAST(SUM(l.pieces) AS BIGINT)
FROM redemption_line l JOIN redemption_plan p ON p.id = l.plan
WHERE l.day >= $1 AND l.day <= $2 GROUP BY l.day, p.id, p.name_zh, p.name_en ORDER BY l.day, p.id

-- name: joined
SELECT joined, office, COUNT(*) FROM member WHERE joined >= $1 AND joined <= $2 AND merged_into IS NULL GROUP BY joined, office ORDER BY joined, office

-- name: joined_by_route
SELECT a.route, m.office, COUNT(*) FROM filed_application a JOIN member m ON m.id = a.member
WHERE a.state = 'joined' AND m.joined >= $1 AND m.joined <= $2 AND m.merged_into IS NULL GROUP BY a.route, m.office ORDER BY a.route, m.office

-- name: left
SELECT l.changed, m.office FROM leaving l JOIN member m ON m.id = l.member
WHERE l.state = 'archived' AND l.changed >= $1 AND l.changed < $2 ORDER BY l.changed, l.member

-- name: made_up
SELECT status, level_zh, level_en, office, COUNT(*) FROM member WHERE merged_into IS NULL AND erased = 0
GROUP BY status, level_zh, level_en, office ORDER BY status, level_zh, level_en, office

-- name: steps
SELECT s.day, s.why, m.office, COUNT(*) FROM level_step s JOIN member m ON m.id = s.member
WHERE s.day >= $1 AND s.day <= $2 GROUP BY s.day, s.why, m.office ORDER BY s.day, s.why, m.office

-- name: terminals
SELECT d.name, COUNT(*), CAST(SUM(CASE WHEN f.event = 'refused' THEN 1 ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN f.received - f.at > $4 THEN 1 ELSE 0 END) AS BIGINT), CAST(SUM(f.clock_fault) AS BIGINT)
FROM fact f JOIN device d ON d.id = f.device
WHERE f.office = $1 AND f.day >= $2 AND f.day <= $3 GROUP BY d.id, d.name ORDER BY d.name, d.id

-- name: facts_of
SELECT COUNT(*) FROM fact WHERE office = $1 AND day >= $2 AND day <= $3

-- name: told
SELECT device, epoch, seq, body FROM fact WHERE office = $1 AND day = $2 ORDER BY device, epoch, seq

-- name: refusals
SELECT device, epoch, seq, body FROM fact WHERE office = $1 AND day >= $2 AND day <= $3 AND event = 'refused' ORDER BY device, epoch, seq

-- name: held_activities
SELECT DISTINCT activity FROM occurrence WHERE starts >= $1 AND starts < $2 AND state <> 'planned' ORDER BY activity

-- name: cards
SELECT issued, issue_office FROM card WHERE issued >= $1 AND issued < $2 AND rank = 'main' ORDER BY issued, id

-- name: replaced
SELECT replaced, issue_office FROM card WHERE replaced >= $1 AND replaced < $2 ORDER BY replaced, id

-- name: edited
SELECT e.at, m.office FROM member_edit e JOIN member m ON m.id = e.member WHERE e.at >= $1 AND e.at < $2 AND e.before IS NOT NULL ORDER BY e.at, e.member

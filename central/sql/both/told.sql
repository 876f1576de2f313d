-- Events that earn and are no purchases: what apply reads and writes, and what people look at.

-- name: event
SELECT id, member, kind, code, day, cost, paid_percent, serial, office, occurrence, reason, scheme, asked, asker, taken, taker, taken_why FROM told_event WHERE id = $1

-- name: set_event
INSERT INTO told_event (id, member, kind, code, day, cost, paid_percent, serial, office, occurrence, reason, scheme, asked, asker, taken, taker, taken_why, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
ON CONFLICT (id) DO UPDATE SET taken = excluded.taken, taker = excluded.taker, taken_why = excluded.taken_why, entry = excluded.entry

-- name: given
WITH RECURSIVE those (id) AS (
    SELECT id FROM member WHERE id = $1 UNION SELECT m.id FROM member m JOIN those t ON m.merged_into = t.id)
SELECT c.id, c.told, c.rule, c.rule_of, e.day, c.points, c.state, CASE WHEN e.kind = 'activity' THEN e.occurrence END, e.code FROM told_event e JOIN those t ON t.id = e.member
JOIN points_change c ON c.told = e.id ORDER BY e.asked, c.id

-- name: of_event
SELECT id, member, points, cause, office, occurrence, device, epoch, seq, reason, state, made_by, asked, asker, decided, decider, decided_why, told, rule, rule_of, balance, scheme FROM points_change
WHERE told = $1 ORDER BY id

-- name: of_member
WITH RECURSIVE those (id) AS (
    SELECT id FROM member WHERE id = $1 UNION SELECT m.id FROM member m JOIN those t ON m.merged_into = t.id)
SELECT e.id, e.member, e.kind, e.code, e.day, e.cost, e.paid_percent, e.serial, e.office, e.occurrence, e.reason, e.scheme, e.asked, e.asker, e.taken, e.taker, e.taken_why
FROM told_event e JOIN those t ON t.id = e.member
WHERE e.asked > $2 OR (e.asked = $2 AND e.id > $3) ORDER BY e.asked, e.id LIMIT $4

-- name: newest
SELECT id, member, kind, code, day, cost, paid_percent, serial, office, occurrence, reason, scheme, asked, asker, taken, taker, taken_why FROM told_event
ORDER BY asked DESC, id LIMIT $1

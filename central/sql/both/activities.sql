-- Activities: what apply reads and writes, and what people look at.

-- name: activity
SELECT terms, state, planned_by, planned, decided FROM activity WHERE id = $1

-- name: occurrences_of
SELECT id, activity, name_zh, name_en, starts, ends, state, admits_once, points, places, offices, exits, gifts, guests, audience FROM occurrence
WHERE activity = $1 ORDER BY starts, id

-- name: sign_ups
SELECT member, coming, since, companions FROM sign_up WHERE occurrence = $1

-- name: set_activity
INSERT INTO activity (id, kind, terms, state, planned_by, planned, decided, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, terms = excluded.terms, state = excluded.state, planned_by = excluded.planned_by,
    planned = excluded.planned, decided = excluded.decided, entry = excluded.entry

-- name: set_sign_up
INSERT INTO sign_up (occurrence, member, coming, since, companions, entry) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (occurrence, member) DO UPDATE SET coming = excluded.coming, since = excluded.since, companions = excluded.companions,
    entry = excluded.entry

-- name: set_cost
INSERT INTO activity_cost (activity, item, what, occurrence, cost, entry) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (activity, item) DO UPDATE SET what = excluded.what, occurrence = excluded.occurrence, cost = excluded.cost,
    entry = excluded.entry

-- name: page
SELECT id, terms, state, planned_by, planned, decided FROM activity
WHERE ($1 = '' OR state = $1) AND ($2 = '' OR kind = $2) AND (planned > $3 OR (planned = $3 AND id > $4))
ORDER BY planned, id LIMIT $5

-- name: newest
SELECT id, terms, state, planned_by, planned, decided FROM activity
WHERE ($1 = '' OR state = $1) AND ($2 = '' OR kind = $2) AND (planned < $3 OR (planned = $3 AND id < $4))
ORDER BY planned DESC, id DESC LIMIT $5

-- name: comings
SELECT s.occurrence, s.coming, COUNT(*), CAST(SUM(s.companions) AS BIGINT) FROM sign_up s
JOIN occurrence o ON o.id = s.occurrence WHERE o.activity = $1 GROUP BY s.occurrence, s.coming

-- name: heads
SELECT a.occurrence, COUNT(*), CAST(SUM(a.companions) AS BIGINT) FROM attendance a
JOIN occurrence o ON o.id = a.occurrence WHERE o.activity = $1 GROUP BY a.occurrence

-- name: no_shows
SELECT s.occurrence, COUNT(*) FROM sign_up s JOIN occurrence o ON o.id = s.occurrence
WHERE o.activity = $1 AND s.coming = 'placed'
AND NOT EXISTS (SELECT 1 FROM attendance a WHERE a.member = s.member AND a.occurrence = s.occurrence)
GROUP BY s.occurrence

-- name: came
SELECT f.body, a.companions FROM attendance a JOIN fact f ON f.device = a.device AND f.epoch = a.epoch AND f.seq = a.seq
WHERE a.occurrence = $1

-- name: last_came
SELECT a.member, m.personal, a.at FROM attendance a JOIN member m ON m.id = a.member
WHERE a.occurrence = $1 ORDER BY a.at DESC, a.member LIMIT $2

-- name: list
SELECT s.member, m.number, s.coming, s.since, s.companions, a.at, a.companions FROM sign_up s
JOIN member m ON m.id = s.member
LEFT JOIN attendance a ON a.member = s.member AND a.occurrence = s.occurrence
WHERE s.occurrence = $1 AND (s.since > $2 OR (s.since = $2 AND s.member > $3)) ORDER BY s.since, s.member LIMIT $4

-- name: one
SELECT s.member, m.number, s.coming, s.since, s.companions, a.at, a.companions FROM sign_up s
JOIN member m ON m.id = s.member
LEFT JOIN attendance a ON a.member = s.member AND a.occurrence = s.occurrence
WHERE s.occurrence = $1 AND s.member = $2

-- name: holdings_to_remind
SELECT o.id FROM occurrence o WHERE o.state = 'approved' AND o.starts > $1 AND o.starts <= $2
AND EXISTS (SELECT 1 FROM sign_up s JOIN member m ON m.id = s.member
    WHERE s.occurrence = o.id AND s.coming = 'placed' AND m.status = 'active' AND m.erased = 0 AND m.merged_into IS NULL
    AND NOT EXISTS (SELECT 1 FROM message t WHERE t.occurrence = o.id AND t.about = 'activity_reminder' AND t.member = s.member
        AND t.due >= o.starts - $3))
ORDER BY o.starts, o.id LIMIT $4

-- name: members_to_remind
SELECT s.member FROM sign_up s JOIN member m ON m.id = s.member JOIN occurrence o ON o.id = s.occurrence
WHERE s.occurrence = $1 AND s.coming = 'placed' AND m.status = 'active' AND m.erased = 0 AND m.merged_into IS NULL
AND NOT EXISTS (SELECT 1 FROM message t WHERE t.occurrence = o.id AND t.about = 'activity_reminder' AND t.member = s.member
    AND t.due >= o.starts - $2)
ORDER BY s.member LIMIT $3

-- name: costs
SELECT item, what, occurrence, cost FROM activity_cost WHERE activity = $1 AND cost > 0 ORDER BY item

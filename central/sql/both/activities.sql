-- Activities: what apply reads and writes, and what people look at.

-- name: activity
SELECT terms, state, planned_by, planned, decided FROM activity WHERE id = $1

-- name: occurrences_of
SELECT id, activity, name_zh, name_en, starts, ends, state, admits_once, points, places, offices, exits, gifts, guests, audience FROM occurrence
WHERE activity = $1 ORDER BY starts, id

-- name: sign_ups
SELECT member, coming, since FROM sign_up WHERE occurrence = $1

-- name: set_activity
INSERT INTO activity (id, kind, terms, state, planned_by, planned, decided, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, terms = excluded.terms, state = excluded.state, planned_by = excluded.planned_by,
    planned = excluded.planned, decided = excluded.decided, entry = excluded.entry

-- name: set_sign_up
INSERT INTO sign_up (occurrence, member, coming, since, entry) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (occurrence, member) DO UPDATE SET coming = excluded.coming, since = excluded.since, entry = excluded.entry

-- name: set_cost
INSERT INTO activity_cost (activity, item, what, occurrence, cost, entry) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (activity, item) DO UPDATE SET what = excluded.what, occurrence = excluded.occurrence, cost = excluded.cost,
    entry = excluded.entry

-- name: page
SELECT id, terms, state, planned_by, planned, decided FROM activity
WHERE ($1 = '' OR state = $1) AND ($2 = '' OR kind = $2) AND (planned > $3 OR (planned = $3 AND id > $4))
ORDER BY planned, id LIMIT $5

-- name: comings
SELECT coming, COUNT(*) FROM sign_up WHERE occurrence = $1 GROUP BY coming

-- name: heads
SELECT COUNT(*) FROM attendance WHERE occurrence = $1

-- name: no_shows
SELECT COUNT(*) FROM sign_up s WHERE s.occurrence = $1 AND s.coming = 'placed'
AND NOT EXISTS (SELECT 1 FROM attendance a WHERE a.member = s.member AND a.occurrence = s.occurrence)

-- name: list
SELECT s.member, m.number, s.coming, s.since, a.at FROM sign_up s
JOIN member m ON m.id = s.member
LEFT JOIN attendance a ON a.member = s.member AND a.occurrence = s.occurrence
WHERE s.occurrence = $1 AND (s.since > $2 OR (s.since = $2 AND s.member > $3)) ORDER BY s.since, s.member LIMIT $4

-- name: one
SELECT s.member, m.number, s.coming, s.since, a.at FROM sign_up s
JOIN member m ON m.id = s.member
LEFT JOIN attendance a ON a.member = s.member AND a.occurrence = s.occurrence
WHERE s.occurrence = $1 AND s.member = $2

-- name: costs
SELECT item, what, occurrence, cost FROM activity_cost WHERE activity = $1 AND cost > 0 ORDER BY item

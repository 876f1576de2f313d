-- Plans of redemption and what was redeemed: what apply reads and writes, and what people look at.

-- name: plan
SELECT terms, state, planned, planner, decided, decider, decided_why FROM redemption_plan WHERE id = $1

-- name: set_plan
INSERT INTO redemption_plan (id, terms, name_zh, name_en, state, planned, planner, decided, decider, decided_why, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (id) DO UPDATE SET terms = excluded.terms, name_zh = excluded.name_zh, name_en = excluded.name_en, state = excluded.state,
    planned = excluded.planned, planner = excluded.planner, decided = excluded.decided, decider = excluded.decider,
    decided_why = excluded.decided_why, entry = excluded.entry

-- name: add_line
INSERT INTO redemption_line (plan, member, posting, points, fen, pieces, at, day, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: plans
SELECT terms, state, planned, planner, decided, decider, decided_why FROM redemption_plan
WHERE (planned < $1 OR (planned = $1 AND id < $2)) ORDER BY planned DESC, id DESC LIMIT $3

-- name: plans_first
SELECT terms, state, planned, planner, decided, decider, decided_why FROM redemption_plan
WHERE (planned > $1 OR (planned = $1 AND id > $2)) ORDER BY planned, id LIMIT $3

-- name: figures
SELECT COUNT(*), CAST(COALESCE(SUM(points), 0) AS BIGINT), CAST(COALESCE(SUM(fen), 0) AS BIGINT), CAST(COALESCE(SUM(pieces), 0) AS BIGINT)
FROM redemption_line WHERE plan = $1

-- name: lines
SELECT l.member, l.points, l.fen, l.pieces, l.at, l.day, m.number FROM redemption_line l JOIN member m ON m.id = l.member
WHERE l.plan = $1 AND l.member > $2 ORDER BY l.member LIMIT $3

-- name: lines_of
SELECT l.plan, l.points, l.fen, l.pieces, l.at, l.day, p.name_zh, p.name_en FROM redemption_line l JOIN redemption_plan p ON p.id = l.plan
WHERE l.member = $1 AND (l.at < $2 OR (l.at = $2 AND l.plan < $3)) ORDER BY l.at DESC, l.plan DESC LIMIT $4

-- name: members_after
SELECT id, level_zh, level_en FROM member
WHERE id > $1 AND status <> 'left' AND merged_into IS NULL AND erased = 0 ORDER BY id LIMIT $2

-- name: is_redeemed
SELECT COUNT(*) FROM redemption_line WHERE plan = $1 AND member = $2

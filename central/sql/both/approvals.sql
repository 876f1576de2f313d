-- What waits for somebody's approval, beside what the parts themselves list.

-- name: counts
SELECT (SELECT COUNT(*) FROM points_change WHERE state = 'waiting' AND asker <> $1),
    (SELECT COUNT(*) FROM activity WHERE state = 'planned' AND planned_by <> $1),
    (SELECT COUNT(*) FROM redemption_plan WHERE state = 'planned' AND planner <> $1),
    (SELECT COUNT(*) FROM item_redemption WHERE state = 'waiting' AND asker <> $1),
    (SELECT COUNT(*) FROM leaving l WHERE l.state = 'filed'
        AND NOT EXISTS (SELECT 1 FROM member_edit e WHERE e.member = l.member AND e.what = 'leaving' AND e.at = l.filed AND e.actor = $1))

-- name: leave_asker
SELECT actor FROM member_edit WHERE member = $1 AND what = 'leaving' AND at = $2

-- name: plans
SELECT id FROM redemption_plan WHERE state = 'planned' ORDER BY planned, id LIMIT $1

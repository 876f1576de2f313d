-- Changes of points with their cause, and what makes them: what apply reads and writes, and what people look at. What sets a
-- trigger off counts as it stood when it came: what was judged otherwise since is for the person who approves.

-- name: change
SELECT id, member, points, cause, office, occurrence, device, epoch, seq, reason, state, made_by, asked, asker, decided, decider, decided_why, told, rule, rule_of, balance, scheme FROM points_change WHERE id = $1

-- name: trigger
SELECT terms, seen FROM points_trigger WHERE id = $1

-- name: set_change
INSERT INTO points_change (id, member, points, cause, office, occurrence, device, epoch, seq, reason, state, made_by, asked, asker, decided, decider, decided_why, told, rule, rule_of, balance, scheme, posting, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, decided = excluded.decided, decider = excluded.decider,
    decided_why = excluded.decided_why, entry = excluded.entry

-- name: set_trigger
INSERT INTO points_trigger (id, terms, seen, entry) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET terms = excluded.terms, seen = excluded.seen, entry = excluded.entry

-- name: changes_by_asked
SELECT id FROM points_change WHERE state = $1 AND (asked > $2 OR (asked = $2 AND id > $3)) ORDER BY asked, id LIMIT $4

-- name: changes_by_asked_down
SELECT id FROM points_change WHERE state = $1 AND (asked < $2 OR (asked = $2 AND id < $3)) ORDER BY asked DESC, id DESC LIMIT $4

-- name: changes_by_points
SELECT id FROM points_change WHERE state = $1 AND (points > $2 OR (points = $2 AND id > $3)) ORDER BY points, id LIMIT $4

-- name: changes_by_points_down
SELECT id FROM points_change WHERE state = $1 AND (points < $2 OR (points = $2 AND id < $3)) ORDER BY points DESC, id DESC LIMIT $4

-- name: waiting
SELECT COUNT(*) FROM points_change WHERE state = 'waiting'

-- name: main_cards
SELECT COUNT(*) FROM card WHERE member = $1 AND rank = 'main'

-- name: purchases_waiting
SELECT COUNT(*) FROM conflict WHERE kind = $1 AND state IN ('open', 'evidence_changed')

-- name: triggers
SELECT terms, seen FROM points_trigger ORDER BY id

-- name: recorded
SELECT f.device, f.epoch, f.seq, f.body, f.member, f.office, f.received, f.occurrence FROM fact f
WHERE f.event IN ('visited', 'attended', 'earned') AND f.event = $1 AND f.received > $2 AND f.received <= $3
AND COALESCE(f.told_became, 'applied') IN ('applied', 'applied_with_case') AND f.member IS NOT NULL
ORDER BY f.received, f.device, f.epoch, f.seq LIMIT $4

-- name: newest_entry
SELECT MAX(received) FROM entry

-- name: activities
SELECT id, name_zh, name_en, starts FROM occurrence WHERE state <> 'planned' ORDER BY starts DESC, id LIMIT $1

-- name: given_days
SELECT day, CAST(SUM(amount) AS BIGINT) FROM posting
WHERE member = $1 AND unit = 'PTS' AND code = 'transfer' AND debit LIKE $2 AND day >= $3 GROUP BY day ORDER BY day

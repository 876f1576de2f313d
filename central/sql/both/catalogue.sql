-- Redemptions of single members from the catalogue: what apply reads and writes, and what people look at.

-- name: redemption
SELECT asked, kind, name_zh, name_en, points, normal, fen, rule, at, day, asker, state, pieces, decided, decider, decided_why
FROM item_redemption WHERE id = $1

-- name: set_redemption
INSERT INTO item_redemption (id, asked, member, office, kind, name_zh, name_en, points, normal, fen, rule, at, day, asker, state,
    pieces, decided, decider, decided_why, device, epoch, seq, posting, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, pieces = excluded.pieces, decided = excluded.decided,
    decider = excluded.decider, decided_why = excluded.decided_why, entry = excluded.entry

-- name: opened_by
SELECT id FROM item_redemption WHERE device = $1 AND epoch = $2 AND seq = $3 AND state IN ('waiting', 'done')

-- name: redemptions
SELECT asked, kind, name_zh, name_en, points, normal, fen, rule, at, day, asker, state, pieces, decided, decider, decided_why
FROM item_redemption WHERE (at < $1 OR (at = $1 AND id < $2)) ORDER BY at DESC, id DESC LIMIT $3

-- name: redemptions_in
SELECT asked, kind, name_zh, name_en, points, normal, fen, rule, at, day, asker, state, pieces, decided, decider, decided_why
FROM item_redemption WHERE (at < $1 OR (at = $1 AND id < $2)) AND state = $4 ORDER BY at DESC, id DESC LIMIT $3

-- name: redemptions_of
WITH RECURSIVE those (id) AS (
    SELECT id FROM member WHERE id = $4 UNION SELECT m.id FROM member m JOIN those t ON m.merged_into = t.id)
SELECT r.asked, r.kind, r.name_zh, r.name_en, r.points, r.normal, r.fen, r.rule, r.at, r.day, r.asker, r.state, r.pieces, r.decided,
    r.decider, r.decided_why
FROM item_redemption r JOIN those t ON t.id = r.member
WHERE (r.at < $1 OR (r.at = $1 AND r.id < $2)) AND ($5 = '' OR r.state = $5) ORDER BY r.at DESC, r.id DESC LIMIT $3

-- name: purchases
SELECT device, epoch, seq, body FROM fact WHERE member = $1 AND day = $2 AND event = 'earned' AND became IN ('applied', 'applied_with_case')
ORDER BY at, device, epoch, seq LIMIT $3

-- Joining and leaving: what apply reads and writes, and what people look at.

-- name: filed
SELECT route, way, kind, office, referrer, form, day, filed, state, member, looked_up, changed, standing, automatic, carer FROM filed_application WHERE id = $1

-- name: leaving
SELECT kind, state, automatic, filed, changed FROM leaving WHERE member = $1

-- name: message
SELECT about, member, device, epoch, seq, due, told, round, channel, week, occurrence FROM message WHERE id = $1

-- name: set_term
INSERT INTO dictionary (dictionary, code, word_zh, word_en, place, retired, entry) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (dictionary, code) DO UPDATE SET word_zh = excluded.word_zh, word_en = excluded.word_en, place = excluded.place,
    retired = excluded.retired, entry = excluded.entry

-- name: set_filed
INSERT INTO filed_application (id, route, way, kind, office, referrer, form, day, filed, state, member, looked_up, changed, standing, automatic, carer, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, member = excluded.member, looked_up = excluded.looked_up,
    changed = excluded.changed, carer = excluded.carer, entry = excluded.entry

-- name: set_leaving
INSERT INTO leaving (member, kind, state, automatic, filed, changed, entry) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (member) DO UPDATE SET kind = excluded.kind, state = excluded.state, automatic = excluded.automatic,
    filed = excluded.filed, changed = excluded.changed, entry = excluded.entry

-- name: set_message
INSERT INTO message (id, about, member, device, epoch, seq, due, told, round, channel, week, occurrence, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (id) DO UPDATE SET told = excluded.told, round = excluded.round, channel = excluded.channel, entry = excluded.entry

-- name: terms
SELECT dictionary, code, word_zh, word_en, place, retired FROM dictionary WHERE dictionary = $1

-- name: waiting_filed
SELECT id, route, way, kind, office, referrer, form, day, filed, state, member, looked_up, changed, standing, automatic, carer FROM filed_application
WHERE state IN ('waiting', 'pending') ORDER BY filed, id LIMIT $1

-- name: filed_page
SELECT id, route, way, kind, office, referrer, form, day, filed, state, member, looked_up, changed, standing, automatic, carer FROM filed_application
WHERE (filed > $1 OR (filed = $1 AND id > $2)) ORDER BY filed, id LIMIT $3

-- name: filed_page_down
SELECT id, route, way, kind, office, referrer, form, day, filed, state, member, looked_up, changed, standing, automatic, carer FROM filed_application
WHERE (filed < $1 OR (filed = $1 AND id < $2)) ORDER BY filed DESC, id DESC LIMIT $3

-- name: lapsed_filed
SELECT id, route, way, kind, office, referrer, form, day, filed, state, member, looked_up, changed, standing, automatic, carer FROM filed_application
WHERE state = 'lapsed' ORDER BY filed, id LIMIT $1

-- name: lapsing_filed
SELECT id FROM filed_application
WHERE state IN ('waiting', 'pending') AND ((route = $1 AND day <= $2) OR (route <> $1 AND day <= $3)) ORDER BY filed, id LIMIT $4

-- name: lapsing_taken
SELECT f.device, f.epoch, f.seq FROM application a
JOIN fact f ON f.device = a.device AND f.epoch = a.epoch AND f.seq = a.seq
WHERE f.member IS NULL AND f.pin IS NULL AND f.became <> 'quarantined' AND a.looked_up = 1 AND f.day <= $1
ORDER BY f.received, f.device, f.epoch, f.seq LIMIT $2

-- name: leavings
SELECT l.member, l.kind, l.state, l.automatic, l.filed, l.changed, m.id, m.told, m.round, m.channel FROM leaving l
LEFT JOIN message m ON m.member = l.member AND m.due = l.changed AND m.about IN ('left', 'stays', 'restored')
WHERE l.state = $1 AND (l.filed > $2 OR (l.filed = $2 AND l.member > $3)) ORDER BY l.filed, l.member LIMIT $4

-- name: idle_members
SELECT m.id, CASE WHEN EXISTS (SELECT 1 FROM balance b WHERE b.member = m.id AND b.class IN ('available', 'escrow') AND b.unit <> 'GROWTH' AND b.amount > 0) THEN 1 ELSE 0 END
FROM member m
WHERE m.status = 'active' AND m.merged_into IS NULL AND m.erased = 0 AND m.status_since < $1 AND m.id > $2
AND NOT EXISTS (SELECT 1 FROM fact f WHERE f.member = m.id AND f.day >= $3)
AND NOT EXISTS (SELECT 1 FROM leaving l WHERE l.member = m.id AND (l.state = 'filed' OR (l.state <> 'withdrawn' AND l.changed >= $1)))
ORDER BY m.id LIMIT $4

-- name: messages
SELECT id, about, member, device, epoch, seq, due, told, round, channel, week, occurrence FROM message
WHERE (CASE WHEN told IS NULL THEN 0 ELSE 1 END) = $1 AND (due > $2 OR (due = $2 AND id > $3)) ORDER BY due, id LIMIT $4

-- name: last_round
SELECT MAX(round) FROM message

-- name: rounds
SELECT round, channel, MIN(told), COUNT(*), SUM(CASE WHEN about IN ('left', 'stays', 'restored') THEN 1 ELSE 0 END) FROM message
WHERE round < $1 GROUP BY round, channel ORDER BY round DESC, channel LIMIT $2

-- name: due_count
SELECT COUNT(*), COALESCE(SUM(CASE WHEN about IN ('left', 'stays', 'restored') THEN 1 ELSE 0 END), 0) FROM message WHERE told IS NULL

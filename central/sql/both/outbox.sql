-- The outbox: how the sending of messages goes. Nothing personal stands here.

-- name: due
SELECT m.id, m.about, m.member, m.device, m.epoch, m.seq, m.due, m.told, m.round, m.channel, m.week, m.occurrence, COALESCE(o.tries, 0)
FROM message m LEFT JOIN outbox o ON o.message = m.id
WHERE m.told IS NULL AND (o.message IS NULL OR (o.sent_at IS NULL AND o.next_at <= $1)) ORDER BY m.due, m.id LIMIT $2

-- name: note
INSERT INTO outbox (message, channel, tries, next_at, sent_at, error) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (message) DO UPDATE SET channel = excluded.channel, tries = excluded.tries, next_at = excluded.next_at,
    sent_at = excluded.sent_at, error = excluded.error

-- name: untold
SELECT m.id, o.channel FROM message m JOIN outbox o ON o.message = m.id
WHERE m.told IS NULL AND o.sent_at IS NOT NULL ORDER BY m.due, m.id

-- name: tried
SELECT channel, tries, next_at, sent_at, error FROM outbox WHERE message = $1

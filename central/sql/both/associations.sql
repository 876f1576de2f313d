-- What the sales system is to be told (K9).

-- name: of
SELECT step, member, due, done FROM association WHERE device = $1 AND epoch = $2 AND seq = $3

-- name: set
INSERT INTO association (device, epoch, seq, step, member, due, done, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (device, epoch, seq, step) DO UPDATE SET done = excluded.done, entry = excluded.entry

-- name: page
SELECT device, epoch, seq, step, member, due, done FROM association
WHERE (CASE WHEN done IS NULL THEN 0 ELSE 1 END) = $1 AND (due, device, epoch, seq, step) > ($3, $4, $5, $6, $7)
ORDER BY due, device, epoch, seq, step LIMIT $2

-- Stored value at the centre's own desk: what was paid in, and what was paid with it.

-- name: top_ups_of
SELECT f.device, f.epoch, f.seq, f.body, f.at, f.office, f.member, d.name, f.at_desk FROM fact f JOIN device d ON d.id = f.device
WHERE f.member = $1 AND f.event = 'topped_up' ORDER BY f.at DESC, f.device, f.epoch, f.seq LIMIT $2

-- name: top_up
SELECT f.device, f.epoch, f.seq, f.body, f.at, f.office, f.member, d.name, f.at_desk FROM fact f JOIN device d ON d.id = f.device
WHERE f.device = $1 AND f.epoch = $2 AND f.seq = $3 AND f.event = 'topped_up'

-- name: day_closed_after
SELECT seq FROM fact WHERE device = $1 AND epoch = $2 AND seq > $3 AND event = 'day_closed' LIMIT 1

-- name: sales_of
SELECT f.device, f.epoch, f.seq, f.body, f.at, f.office, f.member, d.name, f.at_desk FROM fact f JOIN device d ON d.id = f.device
WHERE f.member = $1 AND f.event = 'spent' ORDER BY f.at DESC, f.device, f.epoch, f.seq LIMIT $2

-- name: sale
SELECT f.device, f.epoch, f.seq, f.body, f.at, f.office, f.member, d.name, f.at_desk FROM fact f JOIN device d ON d.id = f.device
WHERE f.device = $1 AND f.epoch = $2 AND f.seq = $3 AND f.event = 'spent'

-- name: balances
SELECT class, unit, amount FROM balance WHERE member = $1

-- name: statement
SELECT p.at, p.day, p.amount, p.code, p.debit, p.credit,
    (SELECT MIN(m.number) FROM posting o JOIN member m ON m.id = o.member WHERE p.code = 'carry_over' AND o.cause = p.cause AND o.member <> p.member),
    d.name
FROM posting p LEFT JOIN device d ON d.id = p.device
WHERE p.member = $1 AND p.unit = 'CNY' ORDER BY p.at DESC, p.id LIMIT $2

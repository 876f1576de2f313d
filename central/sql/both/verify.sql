-- name: sums
SELECT unit, CAST(SUM(amount) AS BIGINT) FROM balance GROUP BY unit ORDER BY unit

-- name: balance_without_postings
SELECT b.account, b.unit, b.amount, CAST(COALESCE(p.amount, 0) AS BIGINT) FROM balance b LEFT JOIN (
    SELECT account, unit, SUM(signed) AS amount FROM (
        SELECT credit AS account, unit, amount AS signed FROM posting
        UNION ALL
        SELECT debit AS account, unit, -amount AS signed FROM posting) q
    GROUP BY account, unit) p ON p.account = b.account AND p.unit = b.unit
WHERE b.amount <> COALESCE(p.amount, 0) ORDER BY b.account, b.unit

-- name: below_zero
SELECT account, unit, amount FROM balance
WHERE (class IN ('available', 'escrow') AND amount < 0) OR (class = 'owed' AND amount > 0) ORDER BY account, unit

-- name: cursor_gaps
SELECT d.device, d.epoch, d.acked_seq, COUNT(f.seq) FROM device_epoch d
LEFT JOIN fact f ON f.device = d.device AND f.epoch = d.epoch
GROUP BY d.device, d.epoch, d.acked_seq HAVING COUNT(f.seq) <> d.acked_seq ORDER BY d.device, d.epoch

-- name: chains
SELECT device, epoch, first_key, acked_seq, head FROM device_epoch ORDER BY device, epoch

-- name: chain_bodies
SELECT seq, body, hash FROM fact WHERE device = $1 AND epoch = $2 AND seq > $3 ORDER BY seq LIMIT 1000

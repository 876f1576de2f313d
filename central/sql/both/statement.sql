-- A member's statement. What moves within what the member has is no line of it. What was booked at once is listed with what
-- was given first, so that no line stands below zero that never was. A line corrects where its cause had one before in its unit.

-- name: lines
SELECT e.received, p.id, p.debit, p.credit, p.amount, p.code,
    (SELECT COUNT(*) FROM posting c1 WHERE c1.cause = p.cause AND c1.unit = p.unit AND c1.ordinal < p.ordinal), p.conflict, p.at, p.day, p.scheme, p.rule, d.name,
    o.name_zh, o.name_en, c.cause, q.name_zh, q.name_en, COALESCE(r.name_zh, i.name_zh), COALESCE(r.name_en, i.name_en),
    COALESCE(h.name_zh, k.name_zh), COALESCE(h.name_en, k.name_en), b.batch,
    (SELECT MIN(m.number) FROM posting s JOIN member m ON m.id = s.member WHERE p.code IN ('carry_over', 'transfer') AND s.cause = p.cause AND s.member <> p.member)
FROM posting p JOIN entry e ON e.id = p.entry
LEFT JOIN fact f ON f.device = p.device AND f.epoch = p.epoch AND f.seq = p.seq
LEFT JOIN device d ON d.id = p.device LEFT JOIN office o ON o.id = f.office
LEFT JOIN occurrence q ON q.id = f.occurrence
LEFT JOIN points_change c ON c.posting = p.cause LEFT JOIN office h ON h.id = c.office
LEFT JOIN opening b ON b.cause = p.cause
LEFT JOIN redemption_line l ON l.posting = p.cause LEFT JOIN redemption_plan r ON r.id = l.plan
LEFT JOIN item_redemption i ON i.posting = p.cause LEFT JOIN office k ON k.id = i.office
WHERE p.member = $1 AND p.unit = $2 AND p.code NOT IN ('lease_grant', 'lease_return', 'lease_write_off', 'issuer_moved')
AND (e.received > $3 OR (e.received = $3 AND (CASE WHEN p.credit LIKE $5 OR p.credit LIKE 'escrow/%' THEN 0 ELSE 1 END > $6
    OR (CASE WHEN p.credit LIKE $5 OR p.credit LIKE 'escrow/%' THEN 0 ELSE 1 END = $6 AND p.id > $4))))
ORDER BY e.received, CASE WHEN p.credit LIKE $5 OR p.credit LIKE 'escrow/%' THEN 0 ELSE 1 END, p.id LIMIT $7

-- name: before
SELECT CAST(COALESCE(SUM(CASE WHEN p.credit LIKE $5 OR p.credit LIKE 'escrow/%' THEN p.amount ELSE 0 END
    - CASE WHEN p.debit LIKE $5 OR p.debit LIKE 'escrow/%' THEN p.amount ELSE 0 END), 0) AS BIGINT)
FROM posting p JOIN entry e ON e.id = p.entry
WHERE p.member = $1 AND p.unit = $2 AND (e.received < $3 OR (e.received = $3 AND (CASE WHEN p.credit LIKE $5 OR p.credit LIKE 'escrow/%' THEN 0 ELSE 1 END < $6
    OR (CASE WHEN p.credit LIKE $5 OR p.credit LIKE 'escrow/%' THEN 0 ELSE 1 END = $6 AND p.id <= $4))))

-- name: accounts
SELECT COUNT(*) FROM balance WHERE member = $1 AND unit = $2

-- What SQLite must be told, which keeps no statistics: a member has fewer facts than an office.

-- name: seen_by_others
SELECT COUNT(*) FROM (SELECT 1 FROM fact INDEXED BY fact_member_occurrence
    WHERE member = $1 AND office = $2 AND device <> $3 AND at >= $4 LIMIT 1) AS seen

-- Through the members in their order, so that the first few end it: through all facts of an office it took minutes,
-- and what reads so long keeps the log from being written back.

-- name: candidates
SELECT DISTINCT b.member FROM balance b WHERE b.class = 'available' AND b.unit <> 'GROWTH' AND b.amount > 0 AND b.member IS NOT NULL
AND EXISTS (SELECT 1 FROM fact f INDEXED BY fact_member_occurrence
    WHERE f.member = b.member AND f.office = $1 AND f.device <> $2 AND f.at >= $3)
AND NOT EXISTS (SELECT 1 FROM lease l JOIN device d ON d.id = l.device AND d.epoch = l.enrolment
WHERE l.device = $2 AND l.member = b.member AND l.is_open = 1)
ORDER BY b.member LIMIT $4

-- name: before_activity
SELECT DISTINCT b.member FROM balance b WHERE b.class = 'available' AND b.unit <> 'GROWTH' AND b.amount > 0 AND b.member IS NOT NULL
AND EXISTS (SELECT 1 FROM fact f INDEXED BY fact_member_occurrence
    WHERE f.member = b.member AND f.office = $1 AND f.device <> $2 AND f.at >= $3)
ORDER BY b.member LIMIT $4

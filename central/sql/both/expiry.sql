-- Whose points may run out, and how far the daily job is.

-- name: last_run
SELECT day, at FROM job_run WHERE job = $1

-- name: changed_since
SELECT DISTINCT b.member FROM entry e CROSS JOIN balance b
WHERE b.entry = e.id AND e.received > $1 AND b.unit = 'PTS' AND b.member IS NOT NULL ORDER BY b.member

-- name: everybody
SELECT member FROM balance WHERE unit = 'PTS' AND member > $1 GROUP BY member ORDER BY member LIMIT $2

-- name: with_points_of
SELECT b.member FROM balance b WHERE b.class IN ('available', 'escrow') AND b.unit = 'PTS' AND b.amount > 0
AND b.member > $1 AND EXISTS (
    SELECT 1 FROM posting p WHERE p.member = b.member AND p.unit = 'PTS' AND p.day BETWEEN $2 AND $3)
GROUP BY b.member ORDER BY b.member LIMIT $4

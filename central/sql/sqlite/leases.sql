-- What SQLite must be told, which keeps no statistics: a member has fewer facts than an office.

-- name: seen_by_others
SELECT COUNT(*) FROM (SELECT 1 FROM fact INDEXED BY fact_member_occurrence
    WHERE member = $1 AND office = $2 AND device <> $3 AND at >= $4 LIMIT 1) AS seen

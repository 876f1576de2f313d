-- What happened to a member's record and what terminals told of the member, one list; and what somebody opened lately.

-- name: lines
SELECT at, source, id, epoch, seq, what, received, actor, reason, before, after, device, office, became, kind FROM (
    SELECT e.at AS at, CAST(0 AS BIGINT) AS source, e.entry AS id, CAST(0 AS BIGINT) AS epoch, CAST(0 AS BIGINT) AS seq,
        e.what AS what, e.at AS received, e.actor AS actor, e.reason AS reason, e.before AS before, e.after AS after,
        NULL AS device, NULL AS office, NULL AS became, CAST(NULL AS BIGINT) AS kind
    FROM member_edit e WHERE e.member = $1
    UNION ALL
    SELECT f.at, CAST(1 AS BIGINT), f.device, f.epoch, f.seq, f.event, f.received, NULL, NULL, NULL, NULL, d.name, o.code, f.became, f.kind
    FROM fact f JOIN device d ON d.id = f.device JOIN office o ON o.id = f.office WHERE f.member = $1
) AS line
WHERE at < $2 OR (at = $2 AND (source, id, epoch, seq, what) > ($3, $4, $5, $6, $7))
ORDER BY at DESC, source, id, epoch, seq, what LIMIT $8

-- name: opened_by
SELECT COUNT(*) FROM member_edit WHERE actor = $1 AND at >= $2 AND what LIKE 'opened/%'

-- name: merges_of
SELECT at FROM member_edit WHERE member = $1 AND what = 'merged' ORDER BY at DESC LIMIT 1

-- name: merged_here
SELECT id, number FROM member WHERE merged_into = $1 AND erased = 0 ORDER BY number LIMIT 20

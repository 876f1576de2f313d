-- What the club keeps of members beside the base data, and the record of edits.

-- name: details
SELECT kind, referrer, representative, tags, carer FROM member_detail WHERE member = $1

-- name: kinds
SELECT at, before, after FROM member_edit WHERE member = $1 AND what = 'kind' ORDER BY at, entry

-- name: set_details
INSERT INTO member_detail (member, kind, referrer, representative, tags, carer, entry) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (member) DO UPDATE SET kind = excluded.kind, referrer = excluded.referrer, representative = excluded.representative,
    tags = excluded.tags, carer = excluded.carer, entry = excluded.entry

-- name: forget_details
DELETE FROM member_detail WHERE member IN (WITH RECURSIVE gone(id) AS (SELECT m.id FROM member m WHERE m.id = $1
    UNION SELECT m.id FROM member m JOIN gone g ON m.merged_into = g.id) SELECT id FROM gone)

-- name: forget_customs
DELETE FROM member_custom WHERE member IN (WITH RECURSIVE gone(id) AS (SELECT m.id FROM member m WHERE m.id = $1
    UNION SELECT m.id FROM member m JOIN gone g ON m.merged_into = g.id) SELECT id FROM gone)

-- name: set_group
INSERT INTO field_group (code, terms, entry) VALUES ($1, $2, $3)
ON CONFLICT (code) DO UPDATE SET terms = excluded.terms, entry = excluded.entry

-- name: set_custom
INSERT INTO member_custom (member, field_group, content, entry) VALUES ($1, $2, $3, $4)
ON CONFLICT (member, field_group) DO UPDATE SET content = excluded.content, entry = excluded.entry

-- name: add_edit
INSERT INTO member_edit (member, entry, what, actor, reason, at, before, after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: groups
SELECT terms FROM field_group ORDER BY code

-- name: customs
SELECT field_group, content FROM member_custom WHERE member = $1 ORDER BY field_group

-- name: edits
SELECT what, actor, reason, at, before, after FROM member_edit
WHERE member = $1 AND (at < $2 OR (at = $2 AND what > $3)) ORDER BY at DESC, what LIMIT $4

-- name: changed
SELECT member, MAX(at) FROM member_edit
WHERE at >= $1 AND at < $2 AND what NOT LIKE 'opened/%' GROUP BY member
HAVING MAX(at) < $3 OR (MAX(at) = $3 AND member < $4) ORDER BY MAX(at) DESC, member DESC LIMIT $5

-- name: cared_for
SELECT d.member, d.carer FROM member_detail d JOIN staff s ON s.id = d.carer
WHERE (s.id = $1 OR s.superior = $1 OR s.office = $2) AND d.member > $3 ORDER BY d.member LIMIT $4

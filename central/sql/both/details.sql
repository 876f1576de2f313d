-- What the club keeps of members beside the base data, and the record of edits.

-- name: details
SELECT kind, referrer, representative FROM member_detail WHERE member = $1

-- name: tags
SELECT tag FROM member_tag WHERE member = $1 ORDER BY tag

-- name: set_details
INSERT INTO member_detail (member, kind, referrer, representative, entry) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (member) DO UPDATE SET kind = excluded.kind, referrer = excluded.referrer, representative = excluded.representative,
    entry = excluded.entry

-- name: drop_tags
DELETE FROM member_tag WHERE member = $1

-- name: set_tag
INSERT INTO member_tag (member, tag) VALUES ($1, $2)

-- name: set_group
INSERT INTO field_group (code, terms, entry) VALUES ($1, $2, $3)
ON CONFLICT (code) DO UPDATE SET terms = excluded.terms, entry = excluded.entry

-- name: set_custom
INSERT INTO member_custom (member, field_group, content, entry) VALUES ($1, $2, $3, $4)
ON CONFLICT (member, field_group) DO UPDATE SET content = excluded.content, entry = excluded.entry

-- name: add_edit
INSERT INTO member_edit (member, entry, what, actor, reason, at) VALUES ($1, $2, $3, $4, $5, $6)

-- name: groups
SELECT terms FROM field_group ORDER BY code

-- name: custom
SELECT content FROM member_custom WHERE member = $1 AND field_group = $2

-- name: edits
SELECT what, actor, reason, at FROM member_edit WHERE member = $1 ORDER BY at DESC, entry, what LIMIT $2

-- name: tagged
SELECT member FROM member_tag WHERE tag = $1 AND member > $2 ORDER BY member LIMIT $3

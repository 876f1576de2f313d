-- Statements of the vault; only central/src/vault uses them.

-- name: key
SELECT wrapped FROM vault_key WHERE member = $1 {for_update}

-- name: key_to_read
SELECT wrapped FROM vault_key WHERE member = $1

-- name: add_key
INSERT INTO vault_key (member, wrapped) VALUES ($1, $2)

-- name: put
INSERT INTO vault_member (member, name, sex, mobile, home_phone, document, birthday, address, email, remark)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (member) DO UPDATE SET name = excluded.name, sex = excluded.sex, mobile = excluded.mobile,
    home_phone = excluded.home_phone, document = excluded.document, birthday = excluded.birthday, address = excluded.address, email = excluded.email,
    remark = excluded.remark

-- name: load
SELECT k.wrapped, m.name, m.sex, m.mobile, m.home_phone, m.document, m.birthday, m.address, m.email, m.remark
FROM vault_member m JOIN vault_key k ON k.member = m.member
WHERE m.member = $1

-- name: unindex
DELETE FROM vault_index WHERE member = $1

-- name: index
INSERT INTO vault_index (kind, hmac, member) VALUES ($1, $2, $3)

-- name: find
SELECT member FROM vault_index WHERE kind = $1 AND hmac = $2 ORDER BY member LIMIT $3

-- name: index_form
INSERT INTO vault_form (kind, hmac, device, epoch, seq) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (kind, hmac, device, epoch, seq) DO NOTHING

-- name: forget_form
DELETE FROM vault_form WHERE device = $1 AND epoch = $2 AND seq = $3

-- name: find_form
SELECT device, epoch, seq FROM vault_form WHERE kind = $1 AND hmac = $2 ORDER BY device, epoch, seq LIMIT $3

-- name: put_text
INSERT INTO vault_text (member, commitment, sealed) VALUES ($1, $2, $3)
ON CONFLICT (member, commitment) DO NOTHING

-- name: text
SELECT sealed FROM vault_text WHERE member = $1 AND commitment = $2

-- name: erase_texts
DELETE FROM vault_text WHERE member = $1

-- name: erase_member
DELETE FROM vault_member WHERE member = $1

-- name: erase_key
DELETE FROM vault_key WHERE member = $1

-- name: drop_tags
DELETE FROM vault_tag WHERE member = $1

-- name: put_tag
INSERT INTO vault_tag (member, hmac) VALUES ($1, $2) ON CONFLICT (member, hmac) DO NOTHING

-- name: tagged
SELECT member FROM vault_tag WHERE hmac = $1 AND member > $2 ORDER BY member LIMIT $3

-- name: put_staff
INSERT INTO vault_staff (kind, hmac) VALUES ($1, $2) ON CONFLICT (kind, hmac) DO NOTHING

-- name: drop_staff
DELETE FROM vault_staff WHERE kind = $1 AND hmac = $2

-- name: is_staff
SELECT kind FROM vault_staff WHERE kind = $1 AND hmac = $2

-- name: by_key
SELECT c.device, c.epoch, d.office, d.name, d.status, d.epoch FROM device_certificate c JOIN device d ON d.id = c.device WHERE c.fingerprint = $1

-- name: add_certificate
INSERT INTO device_certificate (fingerprint, device, epoch, not_after, issued_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (fingerprint) DO UPDATE SET epoch = excluded.epoch, not_after = excluded.not_after, issued_at = excluded.issued_at

-- name: keys_of_revoked
SELECT c.fingerprint FROM device_certificate c JOIN device d ON d.id = c.device WHERE d.status = 'revoked'

-- name: has_key
SELECT 1 FROM device_key WHERE device = $1 AND epoch = $2 AND key_id = $3

-- name: put_code
INSERT INTO enrol_code (device, secret_hash, made_at, expires_at, tries_left, used_at, selector, used_key)
VALUES ($1, $2, $3, $4, $5, NULL, $6, NULL)
ON CONFLICT (device) DO UPDATE SET secret_hash = excluded.secret_hash, made_at = excluded.made_at,
    expires_at = excluded.expires_at, tries_left = excluded.tries_left, used_at = NULL, selector = excluded.selector,
    used_key = NULL

-- name: codes
SELECT device, secret_hash, expires_at, tries_left, used_key FROM enrol_code WHERE selector = $1 ORDER BY device {for_update}

-- name: cost_try
UPDATE enrol_code SET tries_left = tries_left - 1 WHERE device = $1 AND tries_left > 0

-- name: use_code
UPDATE enrol_code SET used_at = $2, used_key = $3 WHERE device = $1

-- name: office_by_code
SELECT id FROM office WHERE code = $1

-- name: list
SELECT d.id, d.name, d.status, d.epoch, d.office, o.code, o.name_zh, o.name_en, e.acked_seq, e.enrolled_at,
    c.last_contact, c.address, c.software, c.queued, c.directory_epoch, c.directory_n, c.block_epoch, c.block_n,
    c.duplicates, c.gaps,
    (SELECT MAX(x.not_after) FROM device_certificate x WHERE x.device = d.id AND x.epoch = d.epoch),
    (SELECT k.expires_at FROM enrol_code k WHERE k.device = d.id AND k.used_at IS NULL AND k.tries_left > 0),
    c.readiness
FROM device d LEFT JOIN office o ON o.id = d.office
LEFT JOIN device_epoch e ON e.device = d.id AND e.epoch = d.epoch
LEFT JOIN device_contact c ON c.device = d.id
ORDER BY o.code, d.name, d.id

-- name: put_note
INSERT INTO act_note (commitment, sealed, staff, made_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (commitment) DO NOTHING

-- name: note
SELECT sealed FROM act_note WHERE commitment = $1

-- name: add_token_key
INSERT INTO token_key (office_group, version, sealed) VALUES ($1, $2, $3)

-- name: token_keys
SELECT version, sealed FROM token_key WHERE office_group = $1 ORDER BY version DESC

-- name: status
SELECT status FROM device WHERE id = $1

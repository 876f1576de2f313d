-- name: head_at
SELECT hash FROM entry_place WHERE n = $1

-- name: is_known
SELECT COUNT(*) FROM lease WHERE lease = $1 AND (version_epoch > $2 OR (version_epoch = $2 AND version_n >= $3))

-- name: terminals
SELECT d.id, d.status, d.reported_epoch, c.last_contact FROM device d
LEFT JOIN device_contact c ON c.device = d.id ORDER BY d.id

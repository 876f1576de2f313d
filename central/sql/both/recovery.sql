-- name: head_at
SELECT hash FROM entry_place WHERE n = $1

-- name: is_known
SELECT COUNT(*) FROM lease WHERE lease = $1 AND (version_epoch > $2 OR (version_epoch = $2 AND version_n >= $3))

-- name: reported
SELECT epoch FROM lease_report WHERE device = $1

-- name: set_reported
INSERT INTO lease_report (device, epoch) VALUES ($1, $2)
ON CONFLICT (device) DO UPDATE SET epoch = excluded.epoch

-- name: terminals
SELECT d.id, d.status, r.epoch, c.last_contact FROM device d
LEFT JOIN lease_report r ON r.device = d.id LEFT JOIN device_contact c ON c.device = d.id ORDER BY d.id

-- Applicants whom somebody means to call before deciding.

-- name: plan
INSERT INTO application_call (device, epoch, seq, day, staff, at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (device, epoch, seq) DO UPDATE SET day = excluded.day, staff = excluded.staff, at = excluded.at

-- name: planned
SELECT device, epoch, seq, day, staff FROM application_call ORDER BY day, device, epoch, seq LIMIT $1

-- name: forget
DELETE FROM application_call WHERE device = $1 AND epoch = $2 AND seq = $3

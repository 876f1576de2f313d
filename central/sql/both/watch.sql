-- When terminals were heard of, and from which silence on an office is alarmed.

-- name: note_quarter
INSERT INTO device_heard (device, quarter) VALUES ($1, $2) ON CONFLICT (device, quarter) DO NOTHING

-- name: forget_quarters
DELETE FROM device_heard WHERE device = $1 AND quarter < $2

-- name: quarters
SELECT h.device, h.quarter FROM device d CROSS JOIN device_heard h
WHERE h.device = d.id AND h.quarter >= $1 AND h.quarter <= $2 ORDER BY h.device, h.quarter

-- name: quarters_of
SELECT device, quarter FROM device_heard WHERE device = $3 AND quarter >= $1 AND quarter <= $2 ORDER BY quarter

-- name: offices
SELECT w.office, w.silent_minutes, w.opens, w.closes, w.changed_at, s.name FROM office_watch w LEFT JOIN staff s ON s.id = w.changed_by
ORDER BY w.office

-- name: set
INSERT INTO office_watch (office, silent_minutes, opens, closes, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (office) DO UPDATE SET silent_minutes = excluded.silent_minutes, opens = excluded.opens,
    closes = excluded.closes, changed_at = excluded.changed_at, changed_by = excluded.changed_by

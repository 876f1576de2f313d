-- name: heard
INSERT INTO device_contact (device, last_contact, address, software, queued, notices_taken, directory_epoch, directory_n,
    block_epoch, block_n, duplicates, gaps, readiness, health)
VALUES ($1, $2, $3, $12, $4, $5, $6, $7, $8, $9, 0, 0, $10, $11)
ON CONFLICT (device) DO UPDATE SET last_contact = excluded.last_contact, address = excluded.address,
    queued = excluded.queued, notices_taken = excluded.notices_taken, directory_epoch = excluded.directory_epoch,
    directory_n = excluded.directory_n, block_epoch = excluded.block_epoch, block_n = excluded.block_n,
    readiness = excluded.readiness, health = excluded.health,
    software = CASE WHEN excluded.software = '' THEN device_contact.software ELSE excluded.software END

-- name: delivered
INSERT INTO device_contact (device, last_contact, address, software, queued, notices_taken, directory_epoch, directory_n,
    block_epoch, block_n, duplicates, gaps)
VALUES ($1, $2, $3, '', $4, 0, 0, 0, 0, 0, $5, $6)
ON CONFLICT (device) DO UPDATE SET last_contact = excluded.last_contact, address = excluded.address,
    queued = excluded.queued, duplicates = device_contact.duplicates + excluded.duplicates,
    gaps = device_contact.gaps + excluded.gaps

-- name: enrolled
INSERT INTO device_contact (device, last_contact, address, software, queued, notices_taken, directory_epoch, directory_n,
    block_epoch, block_n, duplicates, gaps)
VALUES ($1, $2, $3, $4, 0, 0, 0, 0, 0, 0, 0, 0)
ON CONFLICT (device) DO UPDATE SET last_contact = excluded.last_contact, address = excluded.address,
    software = excluded.software, review_bytes = 0

-- name: notices_after
SELECT n, epoch, seq, became, kind, conflict, other_office, other_at FROM notice WHERE device = $1 AND n > $2 ORDER BY n LIMIT $3

-- name: told
SELECT seq, told_became, told_kind, told_case FROM fact
WHERE device = $1 AND epoch = $2 AND seq BETWEEN $3 AND $4 AND told_became IS NOT NULL ORDER BY seq

-- name: put_sealed
INSERT INTO fact_sealed (device, epoch, seq, sealed) VALUES ($1, $2, $3, $4) ON CONFLICT (device, epoch, seq) DO NOTHING

-- name: fork_bytes
SELECT CAST(COALESCE(SUM(LENGTH(body)), 0) AS BIGINT) FROM fork_fact WHERE device = $1 AND epoch = $2

-- name: put_fork_fact
INSERT INTO fork_fact (device, epoch, seq, hash, body, received) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (device, epoch, seq, hash) DO NOTHING

-- name: cursor
SELECT e.acked_seq, e.head FROM device_epoch e WHERE e.device = $1 AND e.epoch = $2

-- name: fact_body
SELECT body FROM fact WHERE device = $1 AND epoch = $2 AND seq = $3

-- name: review_bytes
SELECT review_bytes FROM device_contact WHERE device = $1

-- name: add_review_bytes
UPDATE device_contact SET review_bytes = review_bytes + $2 WHERE device = $1

-- name: count_in_review
SELECT count(*) FROM fact WHERE device = $1 AND epoch = $2 AND became = 'quarantined' AND kind IN (22, 26)

-- name: in_review
SELECT seq FROM fact WHERE device = $1 AND epoch = $2 AND seq <= $3 AND became = 'quarantined' AND kind IN (22, 26)
ORDER BY seq LIMIT $4

-- name: boot
SELECT boot, clock FROM boot WHERE device = $1 AND epoch = $2 AND seq = $3

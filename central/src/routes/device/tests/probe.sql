-- name: points
SELECT CAST(SUM(CASE WHEN credit = $1 THEN amount ELSE -amount END) AS BIGINT) FROM posting WHERE credit = $1 OR debit = $1

-- name: facts
SELECT COUNT(*) FROM fact WHERE device = $1

-- name: postings
SELECT COUNT(*) FROM posting

-- name: entries
SELECT COUNT(*) FROM entry WHERE kind = $1

-- name: sealed
SELECT COUNT(*) FROM fact_sealed WHERE device = $1

-- name: branch
SELECT COUNT(*) FROM fork_fact WHERE device = $1

-- name: fill_branch
UPDATE fork_fact SET body = $1

-- name: status
SELECT status FROM device WHERE id = $1

-- name: cases
SELECT kind FROM conflict ORDER BY kind

-- name: duplicates
SELECT duplicates FROM device_contact WHERE device = $1

-- name: cursor
SELECT acked_seq FROM device_epoch WHERE device = $1 ORDER BY epoch DESC LIMIT 1

-- name: code_hashes
SELECT secret_hash FROM enrol_code

-- name: tries
SELECT tries_left FROM enrol_code WHERE device = $1

-- name: became
SELECT became, kind FROM fact WHERE device = $1 AND seq = $2

-- name: use_review
UPDATE device_contact SET review_bytes = $2 WHERE device = $1

-- name: spoil
INSERT INTO posting (id, cause, ordinal, debit, credit, amount, unit, code, at, day, scheme, entry)
VALUES ($1, $2, $3, 'a', 'b', 1, 'PTS', 'test', 0, 0, 1, $1)

-- name: forget_snapshots
DELETE FROM snapshot

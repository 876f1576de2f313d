-- What is left of a member beside the pseudonymous record.

-- name: record
SELECT merged_into, erased FROM member WHERE id = $1

-- name: records
WITH RECURSIVE gone(id) AS (SELECT m.id FROM member m WHERE m.id = $1
    UNION SELECT m.id FROM member m JOIN gone g ON m.merged_into = g.id)
SELECT id FROM gone ORDER BY id

-- name: sealed_of
SELECT s.device, s.epoch, s.seq FROM fact_sealed s
WHERE (s.device, s.epoch, s.seq) IN (SELECT f.device, f.epoch, f.seq FROM fact f WHERE f.member = $1)
OR (s.epoch = 0 AND s.seq = 0 AND s.device IN (SELECT a.id FROM filed_application a WHERE a.member = $1))
ORDER BY s.device, s.epoch, s.seq

-- name: sealed_late
SELECT s.device, s.epoch, s.seq FROM fact_sealed s
JOIN fact f ON f.device = s.device AND f.epoch = s.epoch AND f.seq = s.seq
JOIN member m ON m.id = f.member
WHERE m.erased = 1 ORDER BY s.device, s.epoch, s.seq LIMIT $1

-- name: drop_sealed
DELETE FROM fact_sealed WHERE device = $1 AND epoch = $2 AND seq = $3

-- name: reasons
SELECT reason FROM member_edit WHERE member = $1 AND reason IS NOT NULL AND what <> 'erased'
UNION SELECT reason FROM told_event WHERE member = $1
UNION SELECT taken_why FROM told_event WHERE member = $1 AND taken_why IS NOT NULL

-- name: drop_note
DELETE FROM act_note WHERE commitment = $1

-- Applications to join: what waits to be looked up, and what others look like.

-- name: to_look_up
SELECT a.device, a.epoch, a.seq, f.body, s.sealed FROM application a
JOIN fact f ON f.device = a.device AND f.epoch = a.epoch AND f.seq = a.seq
LEFT JOIN fact_sealed s ON s.device = a.device AND s.epoch = a.epoch AND s.seq = a.seq
WHERE a.looked_up = 0 ORDER BY f.received, a.device, a.epoch, a.seq LIMIT 1

-- name: stands
SELECT member, pin, became, body FROM fact WHERE device = $1 AND epoch = $2 AND seq = $3 AND event = 'application_taken'

-- name: member
SELECT status, merged_into, erased FROM member WHERE id = $1

-- name: sealed
SELECT f.body, s.sealed FROM fact f
LEFT JOIN fact_sealed s ON s.device = f.device AND s.epoch = f.epoch AND s.seq = f.seq
WHERE f.device = $1 AND f.epoch = $2 AND f.seq = $3

-- name: filed_sealed
SELECT sealed FROM fact_sealed WHERE device = $1 AND epoch = 0 AND seq = 0

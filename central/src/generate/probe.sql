-- name: kinds
SELECT kind, COUNT(*) FROM conflict GROUP BY kind ORDER BY kind

-- name: open_and_decided
SELECT CAST(SUM(CASE WHEN state = 'open' THEN 1 ELSE 0 END) AS BIGINT), CAST(SUM(CASE WHEN state = 'decided' THEN 1 ELSE 0 END) AS BIGINT) FROM conflict WHERE kind = 27

-- name: heads
SELECT head FROM device_epoch ORDER BY device, epoch

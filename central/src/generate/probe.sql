-- name: kinds
SELECT kind, COUNT(*) FROM conflict GROUP BY kind ORDER BY kind

-- name: open_and_decided
SELECT CAST(SUM(CASE WHEN state = 'open' THEN 1 ELSE 0 END) AS BIGINT), CAST(SUM(CASE WHEN state = 'decided' THEN 1 ELSE 0 END) AS BIGINT) FROM conflict WHERE kind = 27

-- name: heads
SELECT head FROM device_epoch ORDER BY device, epoch

-- name: openings
SELECT COUNT(*), COUNT(DISTINCT member) FROM posting WHERE code = 'opening'

-- name: names_found
SELECT COUNT(*), COUNT(DISTINCT member) FROM vault_index WHERE kind = 1

-- name: with_cards
SELECT COUNT(DISTINCT member), COUNT(*) FROM card WHERE member IS NOT NULL

-- The weekly message about purchases: who bought, and what was recorded. A purchase counts as it stood when it came, so that a
-- message that is late is about the same ones; what was judged otherwise since says so by its points.

-- name: buyers
SELECT DISTINCT f.member FROM fact f JOIN member m ON m.id = f.member
WHERE f.event IN ('visited', 'attended', 'earned') AND f.event = 'earned' AND f.received >= $1 AND f.received < $2
AND COALESCE(f.told_became, 'applied') IN ('applied', 'applied_with_case', 'held') AND m.erased = 0 AND f.member > $3 ORDER BY f.member LIMIT $4

-- name: count_buyers
SELECT COUNT(DISTINCT f.member) FROM fact f JOIN member m ON m.id = f.member
WHERE f.event IN ('visited', 'attended', 'earned') AND f.event = 'earned' AND f.received >= $1 AND f.received < $2
AND COALESCE(f.told_became, 'applied') IN ('applied', 'applied_with_case', 'held') AND m.erased = 0

-- name: recorded
SELECT f.device, f.epoch, f.seq, f.body, f.day, f.became, o.name_zh, o.name_en, f.kind FROM fact f JOIN office o ON o.id = f.office
WHERE f.event IN ('visited', 'attended', 'earned') AND f.event = 'earned' AND f.received >= $1 AND f.received < $2 AND f.member = $3
AND COALESCE(f.told_became, 'applied') IN ('applied', 'applied_with_case', 'held') ORDER BY f.at, f.device, f.epoch, f.seq LIMIT $4

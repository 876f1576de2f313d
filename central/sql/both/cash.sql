-- What the daily cash report reads beside the facts of terminals' days.

-- name: terminals_of_day
SELECT DISTINCT device FROM fact WHERE office = $1 AND day = $2 ORDER BY device

-- name: original
SELECT body FROM fact WHERE device = $1 AND epoch = $2 AND seq = $3

-- name: desk_entries
SELECT body FROM entry WHERE id IN (SELECT entry FROM posting WHERE code = 'move' AND day = $1 AND unit = 'CNY') ORDER BY received

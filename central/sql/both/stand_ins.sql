-- Who stands in for whom: what apply reads and writes, and what people look at.

-- name: of_person
SELECT id, person, stand_in, starts, until, named, ended FROM stand_in WHERE person = $1 ORDER BY starts, id

-- name: set
INSERT INTO stand_in (person, id, stand_in, starts, until, named, ended, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (person, id) DO UPDATE SET ended = excluded.ended, entry = excluded.entry

-- name: by
SELECT id, person, stand_in, starts, until, named, ended FROM stand_in
WHERE stand_in = $1 AND until > $2 AND ended IS NULL ORDER BY starts, id

-- name: newest
SELECT id, person, stand_in, starts, until, named, ended FROM stand_in WHERE person = $1 ORDER BY named DESC, id LIMIT $2

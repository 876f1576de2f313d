-- name: forget_old
DELETE FROM api_request WHERE began < $1

-- name: begin
INSERT INTO api_request (id, print, run, began, status, media, answer) VALUES ($1, $2, $3, $4, NULL, NULL, NULL)
ON CONFLICT (id) DO NOTHING

-- name: one
SELECT print, run, began, status, media, answer FROM api_request WHERE id = $1

-- name: take_over
UPDATE api_request SET run = $3, began = $4 WHERE id = $1 AND run = $2 AND status IS NULL

-- name: end
UPDATE api_request SET status = $3, media = $4, answer = $5 WHERE id = $1 AND run = $2

-- name: forget
DELETE FROM api_request WHERE id = $1 AND run = $2 AND status IS NULL

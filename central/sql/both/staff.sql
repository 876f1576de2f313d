-- name: by_login
SELECT id, login, name, password, must_change, failed_tries, locked_until FROM staff WHERE login = $1 AND ended_at IS NULL

-- name: by_id
SELECT id, login, name, password, must_change, failed_tries, locked_until FROM staff WHERE id = $1 AND ended_at IS NULL

-- name: add
INSERT INTO staff (id, login, name, role, superior, office, password, must_change, failed_tries, locked_until, created_at, ended_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 0, NULL, $8, NULL)

-- name: account
SELECT id, role, superior, office FROM staff WHERE id = $1

-- name: named
SELECT name FROM staff WHERE id = $1

-- name: accounts
SELECT id, role, superior, office, login, name FROM staff WHERE ended_at IS NULL ORDER BY login

-- name: set_password
UPDATE staff SET password = $2, must_change = $3, failed_tries = 0, locked_until = NULL WHERE id = $1

-- name: take_try
UPDATE staff SET failed_tries = failed_tries + 1
WHERE login = $1 AND ended_at IS NULL AND (locked_until IS NULL OR locked_until <= $2)
RETURNING id, login, name, password, must_change, failed_tries, locked_until

-- name: set_tries
UPDATE staff SET failed_tries = $2, locked_until = $3 WHERE id = $1

-- name: count
SELECT COUNT(*) FROM staff WHERE ended_at IS NULL

-- name: open_session
INSERT INTO session (token_hash, staff, csrf, created_at, last_used_at) VALUES ($1, $2, $3, $4, $4)

-- name: session
SELECT s.staff, s.csrf, s.created_at, s.last_used_at, p.login, p.name, p.must_change, p.role, p.superior, p.office FROM session s JOIN staff p ON p.id = s.staff WHERE s.token_hash = $1 AND p.ended_at IS NULL

-- name: touch
UPDATE session SET last_used_at = $2 WHERE token_hash = $1 AND last_used_at < $2

-- name: close_session
DELETE FROM session WHERE token_hash = $1

-- name: close_all
DELETE FROM session WHERE staff = $1

-- name: close_old
DELETE FROM session WHERE last_used_at < $1 OR created_at < $2

-- Runs of jobs, and what each job looks for.

-- name: start
INSERT INTO job_runs (id, job, actor, started, seen, done) VALUES ($1, $2, $3, $4, $4, 0)

-- name: running
SELECT id FROM job_runs WHERE job = $1 AND ended IS NULL AND seen > $2 ORDER BY started LIMIT 1

-- name: cut_off
UPDATE job_runs SET ended = seen, error = $2 WHERE job = $1 AND ended IS NULL

-- name: expect
UPDATE job_runs SET expected = $2, seen = $3 WHERE id = $1 AND ended IS NULL

-- name: progress
UPDATE job_runs SET seen = $2, done = $3 WHERE id = $1 AND ended IS NULL

-- name: finish
UPDATE job_runs SET seen = $2, ended = $2, done = $3, remaining = $4, error = $5 WHERE id = $1 AND ended IS NULL

-- name: past
SELECT (SELECT MAX(started) FROM job_runs WHERE job = $1 AND ended IS NOT NULL AND error IS NULL),
    (SELECT MAX(ended) FROM job_runs WHERE job = $1 AND error IS NOT NULL)

-- name: run
SELECT id, job, actor, started, seen, ended, done, remaining, error, expected FROM job_runs WHERE id = $1

-- name: runs_of
SELECT id, job, actor, started, seen, ended, done, remaining, error, expected FROM job_runs
WHERE job = $1 AND (started < $2 OR (started = $2 AND id < $3)) ORDER BY started DESC, id DESC LIMIT $4

-- name: runs_first
SELECT id, job, actor, started, seen, ended, done, remaining, error, expected FROM job_runs
WHERE job = $1 AND (started > $2 OR (started = $2 AND id > $3)) ORDER BY started, id LIMIT $4

-- name: prune
DELETE FROM job_runs WHERE started < $1 AND ended IS NOT NULL

-- name: founded
SELECT MIN(received) FROM entry

-- name: left_open
SELECT id, activity, name_zh, name_en, starts, ends, state, admits_once, points, places, offices, exits, gifts, guests, audience FROM occurrence
WHERE state = 'approved' AND ends <= $1 ORDER BY ends, id LIMIT $2

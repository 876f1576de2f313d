-- What comes round: whose points the member day fills up, what a member's points did, and where a level stood.

-- name: members
SELECT id, joined, level_zh, status_since, office FROM member WHERE status = 'active' AND erased = 0 AND merged_into IS NULL AND id > $1 ORDER BY id LIMIT $2

-- name: moved
SELECT p.cause, p.at, p.day, p.debit, p.credit, p.amount, p.code, e.received FROM posting p JOIN entry e ON e.id = p.entry
WHERE p.member = $1 AND p.unit = 'PTS' AND p.day <= $4
UNION ALL SELECT p.cause, p.at, p.day, p.debit, p.credit, p.amount, p.code, e.received FROM posting p JOIN entry e ON e.id = p.entry
WHERE p.code = 'merge' AND p.unit = 'PTS' AND p.member <> $1 AND p.debit IN ($2, $3) AND p.day <= $4
UNION ALL SELECT p.cause, p.at, p.day, p.debit, p.credit, p.amount, p.code, e.received FROM posting p JOIN entry e ON e.id = p.entry
WHERE p.code = 'merge' AND p.unit = 'PTS' AND p.member <> $1 AND p.credit IN ($2, $3) AND p.day <= $4
ORDER BY 3, 2

-- name: step_after
SELECT from_rank FROM level_step WHERE member = $1 AND day > $2 ORDER BY n LIMIT 1

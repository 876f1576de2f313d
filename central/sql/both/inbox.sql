-- The inbox beside the cases themselves: whose they are, until when they are put off, what is at stake.

-- name: hand
INSERT INTO case_care (conflict, staff, handed_by, handed_at, until, put_off_at, entry) VALUES ($1, $2, $3, $4, NULL, NULL, $5)
ON CONFLICT (conflict) DO UPDATE SET staff = excluded.staff, handed_by = excluded.handed_by, handed_at = excluded.handed_at, entry = excluded.entry

-- name: put_off
INSERT INTO case_care (conflict, staff, handed_by, handed_at, until, put_off_at, entry) VALUES ($1, NULL, NULL, NULL, $2, $3, $4)
ON CONFLICT (conflict) DO UPDATE SET until = excluded.until, put_off_at = excluded.put_off_at, entry = excluded.entry

-- name: care
SELECT c.staff, c.handed_by, c.handed_at, c.until, c.put_off_at, s.name FROM case_care c LEFT JOIN staff s ON s.id = c.staff WHERE c.conflict = $1

-- name: cares_of_kind
SELECT c.conflict, c.staff, c.handed_by, c.handed_at, c.until, c.put_off_at, s.name FROM conflict k JOIN case_care c ON c.conflict = k.id LEFT JOIN staff s ON s.id = c.staff
WHERE k.kind = $1 AND k.state IN ('open', 'evidence_changed')

-- name: mine_counts
SELECT k.kind, COUNT(*), MIN(k.opened) FROM case_care c JOIN conflict k ON k.id = c.conflict
WHERE c.staff = $1 AND k.state IN ('open', 'evidence_changed') GROUP BY k.kind ORDER BY k.kind

-- name: mine_of_kind
SELECT k.id FROM case_care c JOIN conflict k ON k.id = c.conflict
WHERE c.staff = $1 AND k.kind = $2 AND k.state IN ('open', 'evidence_changed') ORDER BY k.opened, k.id LIMIT $3

-- name: posted_of_kind
SELECT l.id, p.unit, CAST(SUM(CASE WHEN p.credit LIKE 'member/%' THEN p.amount WHEN p.debit LIKE 'member/%' THEN -p.amount ELSE 0 END) AS BIGINT)
FROM (SELECT id FROM conflict WHERE kind = $1 AND state IN ('open', 'evidence_changed') ORDER BY opened, id LIMIT $2) AS l
JOIN conflict_fact k ON k.conflict = l.id JOIN posting p ON p.device = k.device AND p.epoch = k.epoch AND p.seq = k.seq
GROUP BY l.id, p.unit

-- name: facts_of_kind
SELECT l.id, f.device, f.epoch, f.seq, f.body FROM (SELECT id FROM conflict WHERE kind = $1 AND state IN ('open', 'evidence_changed') ORDER BY opened, id LIMIT $2) AS l
JOIN conflict_fact k ON k.conflict = l.id JOIN fact f ON f.device = k.device AND f.epoch = k.epoch AND f.seq = k.seq
WHERE f.event IN ('attended', 'earned', 'spent', 'topped_up', 'reversed') LIMIT $3

-- name: version
SELECT COUNT(*), CAST(COALESCE(MAX(changed), 0) AS BIGINT) FROM conflict WHERE state IN ('open', 'evidence_changed')

-- name: new_since
SELECT COUNT(*) FROM conflict WHERE state IN ('open', 'evidence_changed') AND changed > $1

-- name: newest_received
SELECT last_received FROM journal_gate WHERE id = 1

-- name: note
SELECT sealed FROM act_note WHERE commitment = $1

-- name: decided_of_member
SELECT id, kind, changed, opened FROM conflict WHERE member = $1 AND state IN ('decided', 'evidence_changed') ORDER BY changed DESC, id LIMIT $2

-- name: fresh
SELECT (SELECT COUNT(*) FROM member), (SELECT COUNT(*) FROM device), (SELECT last_received FROM journal_gate WHERE id = 1)

-- name: open_double_check_ins
SELECT id FROM conflict WHERE kind = 27 AND state IN ('open', 'evidence_changed')

-- Statements of the conflict inbox. A page of a list takes a page of either of its two states, each by the index of its order,
-- and the first of both: a state IN (..) would sort all that there are for each page.

-- name: open_counts
SELECT kind, COUNT(*), MIN(opened) FROM conflict WHERE state IN ('open', 'evidence_changed') GROUP BY kind ORDER BY kind

-- name: ended_counts
SELECT kind, COUNT(*), MIN(opened) FROM conflict WHERE state IN ('decided', 'closed') GROUP BY kind ORDER BY kind

-- name: open_of_kind
SELECT id, kind, state, member, occurrence, device, token, detail, automatic, verdict, opened, changed, deadline, entry, decided_detail, decided_facts FROM conflict WHERE kind = $1 AND state IN ('open', 'evidence_changed') ORDER BY opened, id LIMIT $2

-- name: ended_of_kind
SELECT id, kind, state, member, occurrence, device, token, detail, automatic, verdict, opened, changed, deadline, entry, decided_detail, decided_facts FROM conflict WHERE kind = $1 AND state IN ('decided', 'closed') ORDER BY changed DESC, id LIMIT $2

-- name: open_by_opened
SELECT id FROM (SELECT * FROM (SELECT id, opened FROM conflict WHERE state = 'open' AND (opened > $2 OR (opened = $2 AND id > $3))
    AND (kind = $1 OR $1 < 0) ORDER BY opened, id LIMIT $4) AS one
    UNION ALL SELECT * FROM (SELECT id, opened FROM conflict WHERE state = 'evidence_changed' AND (opened > $2 OR (opened = $2 AND id > $3))
    AND (kind = $1 OR $1 < 0) ORDER BY opened, id LIMIT $4) AS other) AS found
ORDER BY opened, id LIMIT $4

-- name: open_by_opened_down
SELECT id FROM (SELECT * FROM (SELECT id, opened FROM conflict WHERE state = 'open' AND (opened < $2 OR (opened = $2 AND id < $3))
    AND (kind = $1 OR $1 < 0) ORDER BY opened DESC, id DESC LIMIT $4) AS one
    UNION ALL SELECT * FROM (SELECT id, opened FROM conflict WHERE state = 'evidence_changed' AND (opened < $2 OR (opened = $2 AND id < $3))
    AND (kind = $1 OR $1 < 0) ORDER BY opened DESC, id DESC LIMIT $4) AS other) AS found
ORDER BY opened DESC, id DESC LIMIT $4

-- name: open_by_changed
SELECT id FROM (SELECT * FROM (SELECT id, changed FROM conflict WHERE state = 'open' AND (changed > $2 OR (changed = $2 AND id > $3))
    AND (kind = $1 OR $1 < 0) ORDER BY changed, id LIMIT $4) AS one
    UNION ALL SELECT * FROM (SELECT id, changed FROM conflict WHERE state = 'evidence_changed' AND (changed > $2 OR (changed = $2 AND id > $3))
    AND (kind = $1 OR $1 < 0) ORDER BY changed, id LIMIT $4) AS other) AS found
ORDER BY changed, id LIMIT $4

-- name: open_by_changed_down
SELECT id FROM (SELECT * FROM (SELECT id, changed FROM conflict WHERE state = 'open' AND (changed < $2 OR (changed = $2 AND id < $3))
    AND (kind = $1 OR $1 < 0) ORDER BY changed DESC, id DESC LIMIT $4) AS one
    UNION ALL SELECT * FROM (SELECT id, changed FROM conflict WHERE state = 'evidence_changed' AND (changed < $2 OR (changed = $2 AND id < $3))
    AND (kind = $1 OR $1 < 0) ORDER BY changed DESC, id DESC LIMIT $4) AS other) AS found
ORDER BY changed DESC, id DESC LIMIT $4

-- name: ended_by_opened
SELECT id FROM (SELECT * FROM (SELECT id, opened FROM conflict WHERE state = 'decided' AND (opened > $2 OR (opened = $2 AND id > $3))
    AND (kind = $1 OR $1 < 0) ORDER BY opened, id LIMIT $4) AS one
    UNION ALL SELECT * FROM (SELECT id, opened FROM conflict WHERE state = 'closed' AND (opened > $2 OR (opened = $2 AND id > $3))
    AND (kind = $1 OR $1 < 0) ORDER BY opened, id LIMIT $4) AS other) AS found
ORDER BY opened, id LIMIT $4

-- name: ended_by_opened_down
SELECT id FROM (SELECT * FROM (SELECT id, opened FROM conflict WHERE state = 'decided' AND (opened < $2 OR (opened = $2 AND id < $3))
    AND (kind = $1 OR $1 < 0) ORDER BY opened DESC, id DESC LIMIT $4) AS one
    UNION ALL SELECT * FROM (SELECT id, opened FROM conflict WHERE state = 'closed' AND (opened < $2 OR (opened = $2 AND id < $3))
    AND (kind = $1 OR $1 < 0) ORDER BY opened DESC, id DESC LIMIT $4) AS other) AS found
ORDER BY opened DESC, id DESC LIMIT $4

-- name: ended_by_changed
SELECT id FROM (SELECT * FROM (SELECT id, changed FROM conflict WHERE state = 'decided' AND (changed > $2 OR (changed = $2 AND id > $3))
    AND (kind = $1 OR $1 < 0) ORDER BY changed, id LIMIT $4) AS one
    UNION ALL SELECT * FROM (SELECT id, changed FROM conflict WHERE state = 'closed' AND (changed > $2 OR (changed = $2 AND id > $3))
    AND (kind = $1 OR $1 < 0) ORDER BY changed, id LIMIT $4) AS other) AS found
ORDER BY changed, id LIMIT $4

-- name: ended_by_changed_down
SELECT id FROM (SELECT * FROM (SELECT id, changed FROM conflict WHERE state = 'decided' AND (changed < $2 OR (changed = $2 AND id < $3))
    AND (kind = $1 OR $1 < 0) ORDER BY changed DESC, id DESC LIMIT $4) AS one
    UNION ALL SELECT * FROM (SELECT id, changed FROM conflict WHERE state = 'closed' AND (changed < $2 OR (changed = $2 AND id < $3))
    AND (kind = $1 OR $1 < 0) ORDER BY changed DESC, id DESC LIMIT $4) AS other) AS found
ORDER BY changed DESC, id DESC LIMIT $4

-- name: overdue
SELECT id FROM conflict WHERE state IN ('open', 'evidence_changed') AND deadline <= $1 ORDER BY deadline, id LIMIT $2

-- name: one
SELECT id, kind, state, member, occurrence, device, token, detail, automatic, verdict, opened, changed, deadline, entry, decided_detail, decided_facts FROM conflict WHERE id = $1

-- name: facts
SELECT device, epoch, seq FROM conflict_fact WHERE conflict = $1 ORDER BY device, epoch, seq

-- name: sides
SELECT f.device, f.epoch, f.seq, f.body, f.event, f.wall, f.at, f.received, f.became, f.kind, f.pin, f.member, f.occurrence, d.name, o.code, o.name_zh, o.name_en, o.zone, o.cutoff_minutes, f.high
FROM conflict_fact k JOIN fact f ON f.device = k.device AND f.epoch = k.epoch AND f.seq = k.seq
JOIN device d ON d.id = f.device JOIN office o ON o.id = f.office WHERE k.conflict = $1 ORDER BY f.at, f.device, f.epoch, f.seq LIMIT $2

-- name: side
SELECT f.device, f.epoch, f.seq, f.body, f.event, f.wall, f.at, f.received, f.became, f.kind, f.pin, f.member, f.occurrence, d.name, o.code, o.name_zh, o.name_en, o.zone, o.cutoff_minutes, f.high
FROM fact f JOIN device d ON d.id = f.device JOIN office o ON o.id = f.office WHERE f.device = $1 AND f.epoch = $2 AND f.seq = $3

-- name: side_count
SELECT COUNT(*) FROM conflict_fact WHERE conflict = $1

-- name: side_postings
SELECT debit, credit, amount, unit, code FROM posting WHERE device = $1 AND epoch = $2 AND seq = $3 ORDER BY ordinal

-- name: standing
SELECT became, kind FROM fact WHERE device = $1 AND epoch = $2 AND seq = $3

-- name: occurrence_names
SELECT name_zh, name_en, points, state, starts, ends FROM occurrence WHERE id = $1

-- name: device_place
SELECT d.name, d.status, o.code, o.name_zh, o.name_en FROM device d JOIN office o ON o.id = d.office WHERE d.id = $1

-- name: decisions
SELECT body, received FROM entry WHERE kind = 'case_decided' AND received >= $1 ORDER BY received

-- name: attendance
SELECT points, office, device, epoch, seq FROM attendance WHERE member = $1 AND occurrence = $2

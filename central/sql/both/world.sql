-- Nothing here is locked row by row: only whoever holds the journal's gate writes it, a lock of each of the hundreds of rows of
-- a batch is a write of its own, and what an act would do is also read where nothing may be written (store/foreseen.rs).

-- name: offices
SELECT id, code, name_zh, name_en, zone, cutoff_minutes, office_group FROM office

-- name: schemes
SELECT terms, published FROM scheme

-- name: policy
SELECT terms, apply_version, recovery_epoch, recovering_since, settled_day FROM policy WHERE id = 1

-- name: occurrence
SELECT id, activity, name_zh, name_en, starts, ends, state, admits_once, points, places, offices, exits, gifts, guests, audience FROM occurrence WHERE id = $1

-- name: device
SELECT office, name, status, epoch, leases_frozen, reported_epoch FROM device WHERE id = $1

-- name: device_epoch
SELECT first_key, seal_key, board, enrolled_at, acked_seq, head, last_at FROM device_epoch WHERE device = $1 AND epoch = $2

-- name: device_keys
SELECT public_key FROM device_key WHERE device = $1 AND epoch = $2

-- name: boots
SELECT seq, boot, clock FROM boot WHERE device = $1 AND epoch = $2 ORDER BY seq DESC LIMIT $3

-- name: card_by_token
SELECT c.id, c.member, c.status, c.history, c.kind, c.valid_until, c.rank, c.under, c.issue_office, c.issued, c.replaces, c.replaced_by, c.replaced, c.ended, c.end_why, c.due_kind, c.due_day
FROM card_token t JOIN card c ON c.id = t.card WHERE t.token = $1

-- name: card_by_id
SELECT id, member, status, history, kind, valid_until, rank, under, issue_office, issued, replaces, replaced_by, replaced, ended, end_why, due_kind, due_day
FROM card WHERE id = $1

-- name: taps
SELECT seq, body FROM fact WHERE device = $1 AND epoch = $2 AND token = $3 AND event IN ('attended', 'earned', 'visited') AND became <> 'quarantined' AND NOT (became = 'merged' AND COALESCE(kind, 0) = 2) ORDER BY seq DESC LIMIT 50

-- name: fact
SELECT device, epoch, seq, body, at, low, high, day, office, received, member, became, kind, pin, belongs_to, clock_fault, over_limit, at_desk FROM fact WHERE device = $1 AND epoch = $2 AND seq = $3

-- name: group_facts
SELECT device, epoch, seq, body, at, low, high, day, office, received, member, became, kind, pin, belongs_to, clock_fault, over_limit, at_desk FROM fact WHERE member = $1 AND occurrence = $2 AND event = 'attended'
ORDER BY device, epoch, seq

-- name: facts_of_member
SELECT device, epoch, seq, body, at, low, high, day, office, received, member, became, kind, pin, belongs_to, clock_fault, over_limit, at_desk FROM fact WHERE member = $1 ORDER BY device, epoch, seq

-- name: places
SELECT a.member, a.device, a.epoch, a.seq, a.at, a.issuer, f.pin, f.day, a.companions FROM attendance a
JOIN fact f ON f.device = a.device AND f.epoch = a.epoch AND f.seq = a.seq WHERE a.occurrence = $1

-- name: group
SELECT device, epoch, seq, points, issuer, at, companions FROM attendance WHERE member = $1 AND occurrence = $2

-- name: fact_in_review
SELECT body, at, office FROM fact WHERE device = $1 AND epoch = $2 AND seq = $3 AND became = 'quarantined' AND kind IN (22, 26)

-- name: held_facts
SELECT device, epoch, seq, body, at, low, high, day, office, received, member, became, kind, pin, belongs_to, clock_fault, over_limit, at_desk FROM fact WHERE token = $1 AND became = 'held' AND kind = 13
ORDER BY device, epoch, seq

-- name: range_facts
SELECT device, epoch, seq, body, at, low, high, day, office, received, member, became, kind, pin, belongs_to, clock_fault, over_limit, at_desk FROM fact WHERE device = $1 AND epoch = $2 AND seq BETWEEN $3 AND $4 ORDER BY seq

-- name: facts_since
SELECT device, epoch, seq, body, at, low, high, day, office, received, member, became, kind, pin, belongs_to, clock_fault, over_limit, at_desk FROM fact
WHERE device = $1 AND epoch = $2 AND seq BETWEEN $3 AND $4 AND seq > COALESCE((SELECT e.seq FROM fact e
    WHERE e.device = $1 AND e.epoch = $2 AND e.seq BETWEEN $3 AND $4 AND e.at < $5 ORDER BY e.seq DESC LIMIT 1), 0)
ORDER BY seq

-- name: linked_facts
SELECT f.device, f.epoch, f.seq, f.body, f.at, f.low, f.high, f.day, f.office, f.received, f.member, f.became, f.kind, f.pin, f.belongs_to, f.clock_fault, f.over_limit, f.at_desk FROM fact_link l JOIN fact f ON f.device = l.device AND f.epoch = l.epoch AND f.seq = l.seq WHERE l.link = $1
ORDER BY f.device, f.epoch, f.seq

-- name: case
SELECT kind, state, member, occurrence, device, token, detail, automatic, verdict, opened, changed, deadline, decided_detail, decided_facts FROM conflict WHERE id = $1

-- name: case_facts
SELECT device, epoch, seq FROM conflict_fact WHERE conflict = $1 ORDER BY device, epoch, seq

-- name: last_notice
SELECT MAX(n) FROM notice WHERE device = $1

-- name: flows
SELECT debit, credit, unit, amount, ordinal FROM posting WHERE cause = $1 ORDER BY ordinal

-- name: purse
SELECT class, unit, amount FROM balance WHERE member = $1

-- name: purse_escrow
SELECT unit, CAST(SUM(escrow) AS BIGINT) FROM lease WHERE member = $1 GROUP BY unit

-- name: member
SELECT status, status_since, merged_into, erased, joined, value_turns FROM member WHERE id = $1

-- name: lease
SELECT lease, generation, device, enrolment, member, unit, granted_total, settled, lost, released, written_off, disputed, dismissed, spent_reported, last_seq, holes, closed, ttl_s, reboot_cost_s, reboots_max, version_epoch, version_n, set_at, first_epoch FROM lease WHERE lease = $1 ORDER BY generation

-- name: leases_of_device
SELECT lease, generation, device, enrolment, member, unit, granted_total, settled, lost, released, written_off, disputed, dismissed, spent_reported, last_seq, holes, closed, ttl_s, reboot_cost_s, reboots_max, version_epoch, version_n, set_at, first_epoch FROM lease WHERE device = $1 AND is_open = 1 ORDER BY lease, generation

-- name: leases_of_member
SELECT lease, generation, device, enrolment, member, unit, granted_total, settled, lost, released, written_off, disputed, dismissed, spent_reported, last_seq, holes, closed, ttl_s, reboot_cost_s, reboots_max, version_epoch, version_n, set_at, first_epoch FROM lease WHERE member = $1 AND is_open = 1 ORDER BY lease, generation

-- name: lots
SELECT cause, at, day, debit, credit, amount FROM posting WHERE member = $1 AND unit = 'PTS'
UNION ALL SELECT cause, at, day, debit, credit, amount FROM posting
WHERE code = 'merge' AND unit = 'PTS' AND member <> $1 AND debit IN ($2, $3)
UNION ALL SELECT cause, at, day, debit, credit, amount FROM posting
WHERE code = 'merge' AND unit = 'PTS' AND member <> $1 AND credit IN ($2, $3)

-- name: issued
SELECT points, top_up FROM issued WHERE device = $1 AND day = $2

-- name: fields_of_member
SELECT field, changes, changed FROM member_field WHERE member = $1

-- name: knew
SELECT at FROM version_known WHERE epoch = $1 AND n = $2

-- name: fact_hash
SELECT hash FROM fact WHERE device = $1 AND epoch = $2 AND seq = $3

-- name: open_cases
SELECT id FROM conflict WHERE state IN ('open', 'evidence_changed')

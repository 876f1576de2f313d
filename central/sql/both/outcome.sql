-- name: set_club
INSERT INTO club (id, name_zh, name_en, central_epoch, central_epoch_bits, entry) VALUES ($1, $2, $3, $4, $5, $6)

-- name: set_central_epoch
UPDATE club SET central_epoch = $1, central_epoch_bits = $2, entry = $3

-- name: set_office
INSERT INTO office (id, code, name_zh, name_en, zone, cutoff_minutes, office_group, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (id) DO UPDATE SET code = excluded.code, name_zh = excluded.name_zh, name_en = excluded.name_en,
    zone = excluded.zone, cutoff_minutes = excluded.cutoff_minutes, office_group = excluded.office_group, entry = excluded.entry

-- name: set_occurrence
INSERT INTO occurrence (id, activity, name_zh, name_en, starts, ends, state, admits_once, points, places, offices, exits, gifts, guests, audience, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (id) DO UPDATE SET activity = excluded.activity, name_zh = excluded.name_zh, name_en = excluded.name_en,
    starts = excluded.starts, ends = excluded.ends, state = excluded.state, admits_once = excluded.admits_once,
    points = excluded.points, places = excluded.places, offices = excluded.offices, exits = excluded.exits, gifts = excluded.gifts,
    guests = excluded.guests, audience = excluded.audience,
    entry = excluded.entry

-- name: set_scheme
INSERT INTO scheme (version, valid_from, terms, published, entry) VALUES ($1, $2, $3, $4, $5)

-- name: set_policy
UPDATE policy SET terms = COALESCE($1, terms), apply_version = COALESCE($2, apply_version), entry = $3 WHERE id = 1

-- name: set_settled
UPDATE policy SET settled_day = $1, entry = $2 WHERE id = 1

-- name: set_recovery
UPDATE policy SET recovery_epoch = $1, recovering_since = $2, entry = $3 WHERE id = 1

-- name: set_known
INSERT INTO version_known (epoch, n, at) VALUES ($1, $2, $3) ON CONFLICT (epoch, n) DO NOTHING

-- name: set_job
INSERT INTO job_run (job, day, at, entry) VALUES ($1, $2, $3, $4)
ON CONFLICT (job) DO UPDATE SET day = excluded.day, at = excluded.at, entry = excluded.entry

-- name: set_field
INSERT INTO member_field (member, field, changes, changed, entry) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (member, field) DO UPDATE SET changes = excluded.changes, changed = excluded.changed, entry = excluded.entry

-- name: set_application
INSERT INTO application (device, epoch, seq, looked_up, entry) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (device, epoch, seq) DO UPDATE SET looked_up = excluded.looked_up, entry = excluded.entry

-- name: set_member
INSERT INTO member (id, number, level_zh, level_en, status, status_since, office, personal, entry, joined, joined_said)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (id) DO UPDATE SET number = excluded.number, level_zh = excluded.level_zh, level_en = excluded.level_en,
    status_since = CASE WHEN member.status = excluded.status THEN member.status_since ELSE excluded.status_since END,
    status = excluded.status, office = excluded.office, personal = excluded.personal, entry = excluded.entry,
    joined = CASE WHEN excluded.joined_said = 1 THEN excluded.joined ELSE member.joined END,
    joined_said = CASE WHEN excluded.joined_said = 1 THEN 1 ELSE member.joined_said END

-- name: tie_member
UPDATE member SET merged_into = $2, erased = $3, status = $4, status_since = $5, value_frozen = $6, value_turns = $7, entry = $8 WHERE id = $1

-- name: name_level
UPDATE member SET level_zh = $2, level_en = $3, entry = $4 WHERE id = $1

-- name: set_issued
INSERT INTO issued (device, day, points, top_up, entry) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (device, day) DO UPDATE SET points = excluded.points, top_up = excluded.top_up, entry = excluded.entry

-- name: set_lease
INSERT INTO lease (lease, generation, device, enrolment, member, unit, granted_total, settled, lost, released, written_off,
    disputed, dismissed, spent_reported, last_seq, holes, closed, ttl_s, reboot_cost_s, reboots_max, version_epoch,
    version_n, set_at, first_epoch, escrow, is_open, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
    $25, $26, $27)
ON CONFLICT (lease, generation) DO UPDATE SET granted_total = excluded.granted_total, settled = excluded.settled,
    lost = excluded.lost, released = excluded.released, written_off = excluded.written_off,
    disputed = excluded.disputed, dismissed = excluded.dismissed, spent_reported = excluded.spent_reported,
    last_seq = excluded.last_seq, holes = excluded.holes, closed = excluded.closed, ttl_s = excluded.ttl_s,
    reboot_cost_s = excluded.reboot_cost_s, reboots_max = excluded.reboots_max, version_epoch = excluded.version_epoch,
    version_n = excluded.version_n, set_at = excluded.set_at, first_epoch = excluded.first_epoch,
    escrow = excluded.escrow, is_open = excluded.is_open, entry = excluded.entry

-- name: set_card
INSERT INTO card (id, member, kind, status, tail, valid_from, valid_until, history, status_entry, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
ON CONFLICT (id) DO UPDATE SET member = excluded.member, kind = excluded.kind, tail = excluded.tail,
    history = excluded.history,
    valid_from = excluded.valid_from, valid_until = excluded.valid_until,
    status_entry = CASE WHEN card.status = excluded.status THEN card.status_entry ELSE excluded.status_entry END,
    status = excluded.status, entry = excluded.entry

-- name: drop_tokens
DELETE FROM card_token WHERE card = $1

-- name: set_token
INSERT INTO card_token (token, card) VALUES ($1, $2)

-- name: set_card_status
UPDATE card SET status = $2, history = $3, status_entry = $4, entry = $4 WHERE id = $1

-- name: set_card_holder
UPDATE card SET member = $2, history = $3, entry = $4 WHERE id = $1

-- name: set_device
INSERT INTO device (id, office, name, status, epoch, leases_frozen, reported_epoch, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (id) DO UPDATE SET office = excluded.office, name = excluded.name, status = excluded.status,
    epoch = excluded.epoch, leases_frozen = excluded.leases_frozen, reported_epoch = excluded.reported_epoch,
    entry = excluded.entry

-- name: set_device_epoch
INSERT INTO device_epoch (device, epoch, first_key, seal_key, board, enrolled_at, acked_seq, head, last_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (device, epoch) DO UPDATE SET acked_seq = excluded.acked_seq, head = excluded.head, last_at = excluded.last_at

-- name: set_device_key
INSERT INTO device_key (device, epoch, key_id, public_key) VALUES ($1, $2, $3, $4)
ON CONFLICT (device, epoch, key_id) DO NOTHING

-- name: set_boot
INSERT INTO boot (device, epoch, seq, boot, offset_low, offset_high, clock) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (device, epoch, seq) DO UPDATE SET offset_low = excluded.offset_low, offset_high = excluded.offset_high,
    clock = excluded.clock

-- name: insert_fact
INSERT INTO fact (device, epoch, seq, hash, body, event, wall, at, low, high, day, received, office, token, member,
    occurrence, became, kind, pin, belongs_to, clock_fault, over_limit, told_became, told_kind, told_case, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
    $25, $26)

-- name: change_fact
UPDATE fact SET at = $4, low = $5, high = $6, day = $7, member = $8, became = $9, kind = $10, pin = $11,
    belongs_to = $12, over_limit = $13, at_desk = $14, entry = $15
WHERE device = $1 AND epoch = $2 AND seq = $3

-- name: set_link
INSERT INTO fact_link (link, device, epoch, seq) VALUES ($1, $2, $3, $4)
ON CONFLICT (link, device, epoch, seq) DO NOTHING

-- name: set_attendance
INSERT INTO attendance (member, occurrence, device, epoch, seq, office, at, points, issuer, companions, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (member, occurrence) DO UPDATE SET device = excluded.device, epoch = excluded.epoch, seq = excluded.seq,
    office = excluded.office, at = excluded.at, points = excluded.points, issuer = excluded.issuer,
    companions = excluded.companions, entry = excluded.entry

-- name: end_attendance
DELETE FROM attendance WHERE member = $1 AND occurrence = $2

-- name: insert_posting
INSERT INTO posting (id, cause, ordinal, debit, credit, amount, unit, code, member, device, epoch, seq, conflict, at,
    day, scheme, rule, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)

-- name: move_balance
INSERT INTO balance (account, unit, class, member, amount, entry) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (account, unit) DO UPDATE SET amount = balance.amount + excluded.amount, entry = excluded.entry

-- name: open_balance
INSERT INTO balance (account, unit, class, member, amount, entry) VALUES ($1, $2, $3, $4, 0, $5)
ON CONFLICT (account, unit) DO NOTHING

-- name: add_balance
UPDATE balance SET amount = amount + $3, entry = $4 WHERE account = $1 AND unit = $2

-- name: set_case
INSERT INTO conflict (id, kind, state, member, occurrence, device, token, detail, automatic, verdict, opened, changed,
    deadline, entry, decided_detail, decided_facts)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (id) DO UPDATE SET decided_detail = excluded.decided_detail, decided_facts = excluded.decided_facts, state = excluded.state, member = excluded.member, detail = excluded.detail,
    automatic = excluded.automatic, verdict = excluded.verdict, changed = excluded.changed,
    deadline = excluded.deadline, entry = excluded.entry

-- name: set_case_fact
INSERT INTO conflict_fact (conflict, device, epoch, seq) VALUES ($1, $2, $3, $4)
ON CONFLICT (conflict, device, epoch, seq) DO NOTHING

-- name: leave_case
DELETE FROM conflict_fact WHERE conflict = $1 AND device = $2 AND epoch = $3 AND seq = $4

-- name: insert_notice
INSERT INTO notice (device, n, epoch, seq, became, kind, conflict, other_office, other_at, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

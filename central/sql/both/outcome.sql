-- name: set_club
INSERT INTO club (id, name_zh, name_en, central_epoch, central_epoch_bits, entry) VALUES ($1, $2, $3, $4, $5, $6)

-- name: set_central_epoch
UPDATE club SET central_epoch = $1, central_epoch_bits = $2, entry = $3

-- name: set_office
INSERT INTO office (id, code, name_zh, name_en, zone, cutoff_minutes, entry) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (id) DO UPDATE SET code = excluded.code, name_zh = excluded.name_zh, name_en = excluded.name_en,
    zone = excluded.zone, cutoff_minutes = excluded.cutoff_minutes, entry = excluded.entry

-- name: set_occurrence
INSERT INTO occurrence (id, activity, name_zh, name_en, starts, ends, state, admits_once, points, places, offices, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (id) DO UPDATE SET activity = excluded.activity, name_zh = excluded.name_zh, name_en = excluded.name_en,
    starts = excluded.starts, ends = excluded.ends, state = excluded.state, admits_once = excluded.admits_once,
    points = excluded.points, places = excluded.places, offices = excluded.offices, entry = excluded.entry

-- name: set_scheme
INSERT INTO scheme (version, valid_from, terms, entry) VALUES ($1, $2, $3, $4)

-- name: set_member
INSERT INTO member (id, number, level_zh, level_en, status, office, personal, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (id) DO UPDATE SET number = excluded.number, level_zh = excluded.level_zh, level_en = excluded.level_en,
    status = excluded.status, office = excluded.office, personal = excluded.personal, entry = excluded.entry

-- name: set_card
INSERT INTO card (id, member, kind, status, tail, valid_from, valid_until, status_entry, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
ON CONFLICT (id) DO UPDATE SET member = excluded.member, kind = excluded.kind, tail = excluded.tail,
    valid_from = excluded.valid_from, valid_until = excluded.valid_until,
    status_entry = CASE WHEN card.status = excluded.status THEN card.status_entry ELSE excluded.status_entry END,
    status = excluded.status, entry = excluded.entry

-- name: drop_tokens
DELETE FROM card_token WHERE card = $1

-- name: set_token
INSERT INTO card_token (token, card) VALUES ($1, $2)

-- name: set_card_status
UPDATE card SET status = $2, status_entry = $3, entry = $3 WHERE id = $1

-- name: set_device
INSERT INTO device (id, office, name, status, epoch, entry) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE SET office = excluded.office, name = excluded.name, status = excluded.status,
    epoch = excluded.epoch, entry = excluded.entry

-- name: set_device_epoch
INSERT INTO device_epoch (device, epoch, first_key, seal_key, board, enrolled_at, acked_seq, head, last_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (device, epoch) DO UPDATE SET acked_seq = excluded.acked_seq, head = excluded.head, last_at = excluded.last_at

-- name: set_device_key
INSERT INTO device_key (device, epoch, key_id, public_key) VALUES ($1, $2, $3, $4)
ON CONFLICT (device, epoch, key_id) DO NOTHING

-- name: set_boot
INSERT INTO boot (device, epoch, seq, boot, offset_low, offset_high) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (device, epoch, seq) DO UPDATE SET offset_low = excluded.offset_low, offset_high = excluded.offset_high

-- name: insert_fact
INSERT INTO fact (device, epoch, seq, hash, body, event, wall, at, day, received, office, token, member, occurrence,
    became, kind, pin, told_became, told_kind, told_case, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, NULL, $17, $18, $19, $20)

-- name: change_fact
UPDATE fact SET became = $4, kind = $5, member = COALESCE($6, member), pin = COALESCE($7, pin), entry = $8
WHERE device = $1 AND epoch = $2 AND seq = $3

-- name: set_attendance
INSERT INTO attendance (member, occurrence, device, epoch, seq, office, at, points, issuer, postings, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (member, occurrence) DO UPDATE SET device = excluded.device, epoch = excluded.epoch, seq = excluded.seq,
    office = excluded.office, at = excluded.at, points = excluded.points, issuer = excluded.issuer,
    postings = excluded.postings, entry = excluded.entry

-- name: insert_posting
INSERT INTO posting (id, cause, ordinal, debit, credit, amount, unit, code, member, device, epoch, seq, conflict, at,
    day, scheme, rule, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)

-- name: open_balance
INSERT INTO balance (account, unit, class, member, amount, entry) VALUES ($1, $2, $3, $4, 0, $5)
ON CONFLICT (account, unit) DO NOTHING

-- name: add_balance
UPDATE balance SET amount = amount + $3, entry = $4 WHERE account = $1 AND unit = $2

-- name: set_case
INSERT INTO conflict (id, kind, state, member, occurrence, device, token, detail, automatic, verdict, opened, changed,
    deadline, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, member = excluded.member, detail = excluded.detail,
    automatic = excluded.automatic, verdict = excluded.verdict, changed = excluded.changed,
    deadline = excluded.deadline, entry = excluded.entry

-- name: set_case_fact
INSERT INTO conflict_fact (conflict, device, epoch, seq) VALUES ($1, $2, $3, $4)
ON CONFLICT (conflict, device, epoch, seq) DO NOTHING

-- name: insert_notice
INSERT INTO notice (device, n, epoch, seq, became, kind, conflict, other_office, other_at, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- Every column of every derived table, as sql/both/dump.sql reads them: for putting a replay base into an empty database.

-- name: club
INSERT INTO club (id, name_zh, name_en, central_epoch, central_epoch_bits, entry) VALUES ($1, $2, $3, $4, $5, $6)

-- name: office
INSERT INTO office (id, code, name_zh, name_en, zone, cutoff_minutes, office_group, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: occurrence
INSERT INTO occurrence (id, activity, name_zh, name_en, starts, ends, state, admits_once, points, places, offices, exits, gifts, guests, audience, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)

-- name: scheme
INSERT INTO scheme (version, valid_from, terms, published, entry) VALUES ($1, $2, $3, $4, $5)

-- name: policy
INSERT INTO policy (id, terms, apply_version, recovery_epoch, recovering_since, settled_day, entry) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: member
INSERT INTO member (id, number, level_zh, level_en, status, status_since, office, personal, merged_into, erased, joined, joined_said, value_frozen, value_turns, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)

-- name: card
INSERT INTO card (id, member, kind, status, tail, valid_from, valid_until, history, rank, under, issue_office, issued, replaces, replaced_by, replaced, ended, end_why, due_kind, due_day, status_entry, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)

-- name: card_token
INSERT INTO card_token (token, card) VALUES ($1, $2)

-- name: device
INSERT INTO device (id, office, name, status, epoch, leases_frozen, reported_epoch, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: device_epoch
INSERT INTO device_epoch (device, epoch, first_key, seal_key, board, enrolled_at, acked_seq, head, last_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: device_key
INSERT INTO device_key (device, epoch, key_id, public_key) VALUES ($1, $2, $3, $4)

-- name: boot
INSERT INTO boot (device, epoch, seq, boot, offset_low, offset_high, clock) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: fact
INSERT INTO fact (device, epoch, seq, hash, body, event, wall, at, low, high, day, received, office, token, member, occurrence, became, kind, pin, belongs_to, clock_fault, over_limit, at_desk, told_became, told_kind, told_case, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)

-- name: job_run
INSERT INTO job_run (job, day, at, entry) VALUES ($1, $2, $3, $4)

-- name: member_field
INSERT INTO member_field (member, field, changes, changed, entry) VALUES ($1, $2, $3, $4, $5)

-- name: application
INSERT INTO application (device, epoch, seq, looked_up, entry) VALUES ($1, $2, $3, $4, $5)

-- name: version_known
INSERT INTO version_known (epoch, n, at) VALUES ($1, $2, $3)

-- name: attendance
INSERT INTO attendance (member, occurrence, device, epoch, seq, office, at, points, issuer, companions, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: fact_link
INSERT INTO fact_link (link, device, epoch, seq) VALUES ($1, $2, $3, $4)

-- name: stock
INSERT INTO stock (item, office, pieces, moved, difference, drawn, counts, lines, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: stock_item
INSERT INTO stock_item (item, class, code, word_zh, word_en, retired, entry) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: stock_line
INSERT INTO stock_line (item, office, n, cause, debit, credit, pieces, code, at, day, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: stocktake
INSERT INTO stocktake (device, epoch, seq, class, office, day, at, counted, expected, state, explained, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: points_change
INSERT INTO points_change (id, member, points, cause, office, occurrence, device, epoch, seq, reason, state, made_by, asked, asker, decided, decider, decided_why, told, rule, rule_of, balance, scheme, posting, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)

-- name: told_event
INSERT INTO told_event (id, member, kind, code, day, cost, paid_percent, serial, office, occurrence, reason, scheme, asked, asker, taken, taker, taken_why, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)

-- name: points_trigger
INSERT INTO points_trigger (id, terms, seen, entry) VALUES ($1, $2, $3, $4)

-- name: redemption_plan
INSERT INTO redemption_plan (id, terms, name_zh, name_en, state, planned, planner, decided, decider, decided_why, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: redemption_line
INSERT INTO redemption_line (plan, member, posting, points, fen, pieces, at, day, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: item_redemption
INSERT INTO item_redemption (id, asked, member, office, kind, name_zh, name_en, points, normal, fen, rule, at, day, asker, state, pieces, decided, decider, decided_why, device, epoch, seq, posting, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)

-- name: level_step
INSERT INTO level_step (member, n, day, why, from_rank, rank, since, until, in_grace, measured, threshold, scheme, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: coupon
INSERT INTO coupon (id, member, why, fen, starts, until, scheme, used, used_at, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: ranking_award
INSERT INTO ranking_award (id, starts, ends, place, member, points, reached, award, scheme, given, giver, office, item, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)

-- name: birthday_use
INSERT INTO birthday_use (id, member, office, day, at, slip, scheme, used_by, taken_back, taken_back_by, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: office_day_step
INSERT INTO office_day_step (office, day, n, what, at, by_whom, detail, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: stand_in
INSERT INTO stand_in (person, id, stand_in, starts, until, named, ended, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: issued
INSERT INTO issued (device, day, points, top_up, entry) VALUES ($1, $2, $3, $4, $5)

-- name: lease
INSERT INTO lease (lease, generation, device, enrolment, member, unit, granted_total, settled, lost, released, written_off, disputed, dismissed, spent_reported, last_seq, holes, closed, ttl_s, reboot_cost_s, reboots_max, version_epoch, version_n, set_at, first_epoch, escrow, is_open, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)

-- name: posting
INSERT INTO posting (id, cause, ordinal, debit, credit, amount, unit, code, member, device, epoch, seq, conflict, at, day, scheme, rule, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)

-- name: balance
INSERT INTO balance (account, unit, class, member, amount, entry) VALUES ($1, $2, $3, $4, $5, $6)

-- name: conflict
INSERT INTO conflict (id, kind, state, member, occurrence, device, token, detail, automatic, verdict, opened, changed, deadline, entry, decided_detail, decided_facts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)

-- name: conflict_fact
INSERT INTO conflict_fact (conflict, device, epoch, seq) VALUES ($1, $2, $3, $4)

-- name: case_care
INSERT INTO case_care (conflict, staff, handed_by, handed_at, until, put_off_at, entry) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: notice
INSERT INTO notice (device, n, epoch, seq, became, kind, conflict, other_office, other_at, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: clear_policy
DELETE FROM policy

-- name: put_base
INSERT INTO replay_base (entry, version, hash, rows, signature) VALUES ($1, $2, $3, $4, $5)

-- name: put_part
INSERT INTO replay_base_part (entry, n, body) VALUES ($1, $2, $3)

-- name: drop_parts
DELETE FROM replay_base_part

-- name: newest_base
SELECT b.entry, b.version, b.hash, b.signature, p.n FROM replay_base b JOIN entry_place p ON p.entry = b.entry
ORDER BY p.n DESC LIMIT 1

-- name: part
SELECT body FROM replay_base_part WHERE entry = $1 AND n = $2

-- name: head_at
SELECT hash FROM entry_place WHERE n = $1

-- name: waiting
SELECT id, kind, state FROM conflict WHERE state IN ('open', 'evidence_changed')

-- name: dictionary
INSERT INTO dictionary (dictionary, code, word_zh, word_en, place, retired, entry) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: filed_application
INSERT INTO filed_application (id, route, way, kind, office, referrer, form, day, filed, state, member, looked_up, changed, standing, automatic, carer, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)

-- name: association
INSERT INTO association (device, epoch, seq, step, member, due, done, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: leaving
INSERT INTO leaving (member, kind, state, automatic, filed, changed, entry) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: message
INSERT INTO message (id, about, member, device, epoch, seq, due, told, round, channel, week, occurrence, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: member_detail
INSERT INTO member_detail (member, kind, referrer, representative, tags, carer, entry) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: field_group
INSERT INTO field_group (code, terms, entry) VALUES ($1, $2, $3)

-- name: member_custom
INSERT INTO member_custom (member, field_group, content, entry) VALUES ($1, $2, $3, $4)

-- name: member_edit
INSERT INTO member_edit (member, entry, what, actor, reason, at, before, after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: activity
INSERT INTO activity (id, kind, terms, state, planned_by, planned, decided, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: sign_up
INSERT INTO sign_up (occurrence, member, coming, since, companions, entry) VALUES ($1, $2, $3, $4, $5, $6)

-- name: activity_cost
INSERT INTO activity_cost (activity, item, what, occurrence, cost, entry) VALUES ($1, $2, $3, $4, $5, $6)

-- name: opening
INSERT INTO opening (cause, batch, member, unit, amount, at, reason, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: past_line
INSERT INTO past_line (id, batch, member, at, points, growth, money, words, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: data_export
INSERT INTO data_export (entry, what, rows, clear, staff, reason, actor, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- Every column of every derived table, key columns first.

-- name: club
SELECT id, name_zh, name_en, central_epoch, central_epoch_bits, entry FROM club

-- name: office
SELECT id, code, name_zh, name_en, zone, cutoff_minutes, office_group, entry FROM office

-- name: occurrence
SELECT id, activity, name_zh, name_en, starts, ends, state, admits_once, points, places, offices, exits, gifts, guests, audience, entry FROM occurrence

-- name: scheme
SELECT version, valid_from, terms, published, entry FROM scheme

-- name: policy
SELECT id, terms, apply_version, recovery_epoch, recovering_since, settled_day, entry FROM policy

-- name: member
SELECT id, number, level_zh, level_en, status, status_since, office, personal, merged_into, erased, joined, joined_said, value_frozen, value_turns, entry FROM member

-- name: card
SELECT id, member, kind, status, tail, valid_from, valid_until, history, rank, under, issue_office, issued, replaces, replaced_by, replaced, ended, end_why, due_kind, due_day, status_entry, entry FROM card

-- name: card_token
SELECT token, card FROM card_token

-- name: device
SELECT id, office, name, status, epoch, leases_frozen, reported_epoch, entry FROM device

-- name: device_epoch
SELECT device, epoch, first_key, seal_key, board, enrolled_at, acked_seq, head, last_at FROM device_epoch

-- name: device_key
SELECT device, epoch, key_id, public_key FROM device_key

-- name: boot
SELECT device, epoch, seq, boot, offset_low, offset_high, clock FROM boot

-- name: fact
SELECT device, epoch, seq, hash, body, event, wall, at, low, high, day, received, office, token, member, occurrence, became, kind, pin, belongs_to, clock_fault, over_limit, at_desk, told_became, told_kind, told_case, entry FROM fact

-- name: job_run
SELECT job, day, at, entry FROM job_run

-- name: member_field
SELECT member, field, changes, changed, entry FROM member_field

-- name: application
SELECT device, epoch, seq, looked_up, entry FROM application

-- name: version_known
SELECT epoch, n, at FROM version_known

-- name: attendance
SELECT member, occurrence, device, epoch, seq, office, at, points, issuer, companions, entry FROM attendance

-- name: fact_link
SELECT link, device, epoch, seq FROM fact_link

-- name: stock
SELECT item, office, pieces, moved, difference, drawn, counts, lines, entry FROM stock

-- name: stock_item
SELECT item, class, code, word_zh, word_en, retired, entry FROM stock_item

-- name: stock_line
SELECT item, office, n, cause, debit, credit, pieces, code, at, day, entry FROM stock_line

-- name: stocktake
SELECT device, epoch, seq, class, office, day, at, counted, expected, state, explained, entry FROM stocktake

-- name: points_change
SELECT id, member, points, cause, office, occurrence, device, epoch, seq, reason, state, made_by, asked, asker, decided, decider, decided_why, told, rule, rule_of, balance, scheme, posting, entry FROM points_change

-- name: told_event
SELECT id, member, kind, code, day, cost, paid_percent, serial, office, occurrence, reason, scheme, asked, asker, taken, taker, taken_why, entry FROM told_event

-- name: points_trigger
SELECT id, terms, seen, entry FROM points_trigger

-- name: redemption_plan
SELECT id, terms, name_zh, name_en, state, planned, planner, decided, decider, decided_why, entry FROM redemption_plan

-- name: redemption_line
SELECT plan, member, posting, points, fen, pieces, at, day, entry FROM redemption_line

-- name: item_redemption
SELECT id, asked, member, office, kind, name_zh, name_en, points, normal, fen, rule, at, day, asker, state, pieces, decided, decider, decided_why, device, epoch, seq, posting, entry FROM item_redemption

-- name: level_step
SELECT member, n, day, why, from_rank, rank, since, until, in_grace, measured, threshold, scheme, entry FROM level_step

-- name: coupon
SELECT id, member, why, fen, starts, until, scheme, used, used_at, entry FROM coupon

-- name: ranking_award
SELECT id, starts, ends, place, member, points, reached, award, scheme, given, giver, office, item, entry FROM ranking_award

-- name: birthday_use
SELECT id, member, office, day, at, slip, scheme, used_by, taken_back, taken_back_by, entry FROM birthday_use

-- name: office_day_step
SELECT office, day, n, what, at, by_whom, detail, entry FROM office_day_step

-- name: stand_in
SELECT person, id, stand_in, starts, until, named, ended, entry FROM stand_in

-- name: issued
SELECT device, day, points, top_up, entry FROM issued

-- name: lease
SELECT lease, generation, device, enrolment, member, unit, granted_total, settled, lost, released, written_off, disputed, dismissed, spent_reported, last_seq, holes, closed, ttl_s, reboot_cost_s, reboots_max, version_epoch, version_n, set_at, first_epoch, escrow, is_open, entry FROM lease

-- name: posting
SELECT id, cause, ordinal, debit, credit, amount, unit, code, member, device, epoch, seq, conflict, at, day, scheme, rule, entry FROM posting

-- name: balance
SELECT account, unit, class, member, amount, entry FROM balance

-- name: conflict
SELECT id, kind, state, member, occurrence, device, token, detail, automatic, verdict, opened, changed, deadline, entry, decided_detail, decided_facts FROM conflict

-- name: conflict_fact
SELECT conflict, device, epoch, seq FROM conflict_fact

-- name: case_care
SELECT conflict, staff, handed_by, handed_at, until, put_off_at, entry FROM case_care

-- name: notice
SELECT device, n, epoch, seq, became, kind, conflict, other_office, other_at, entry FROM notice

-- name: dictionary
SELECT dictionary, code, word_zh, word_en, place, retired, entry FROM dictionary

-- name: filed_application
SELECT id, route, way, kind, office, referrer, form, day, filed, state, member, looked_up, changed, standing, automatic, carer, entry FROM filed_application

-- name: association
SELECT device, epoch, seq, step, member, due, done, entry FROM association

-- name: leaving
SELECT member, kind, state, automatic, filed, changed, entry FROM leaving

-- name: message
SELECT id, about, member, device, epoch, seq, due, told, round, channel, week, occurrence, entry FROM message

-- name: member_detail
SELECT member, kind, referrer, representative, tags, carer, entry FROM member_detail

-- name: field_group
SELECT code, terms, entry FROM field_group

-- name: member_custom
SELECT member, field_group, content, entry FROM member_custom

-- name: member_edit
SELECT member, entry, what, actor, reason, at, before, after FROM member_edit

-- name: activity
SELECT id, kind, terms, state, planned_by, planned, decided, entry FROM activity

-- name: sign_up
SELECT occurrence, member, coming, since, companions, entry FROM sign_up

-- name: activity_cost
SELECT activity, item, what, occurrence, cost, entry FROM activity_cost

-- name: opening
SELECT cause, batch, member, unit, amount, at, reason, entry FROM opening

-- name: past_line
SELECT id, batch, member, at, points, growth, money, words, entry FROM past_line

-- name: data_export
SELECT entry, what, rows, clear, staff, reason, actor, at FROM data_export

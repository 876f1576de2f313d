-- name: points
SELECT CAST(SUM(CASE WHEN credit = $1 THEN amount ELSE 0 END) - SUM(CASE WHEN debit = $1 THEN amount ELSE 0 END) AS BIGINT) FROM posting

-- name: of_unit
SELECT CAST(COALESCE(SUM(CASE WHEN credit = $1 THEN amount WHEN debit = $1 THEN -amount ELSE 0 END), 0) AS BIGINT) FROM posting WHERE unit = $2

-- name: given_by_fact
SELECT CAST(COALESCE(SUM(CASE WHEN credit LIKE 'member/%' THEN amount WHEN debit LIKE 'member/%' THEN -amount ELSE 0 END), 0) AS BIGINT) FROM posting WHERE device = $1 AND epoch = $2 AND seq = $3 AND unit = 'PTS'

-- name: standing
SELECT became, kind FROM fact WHERE device = $1 AND epoch = $2 AND seq = $3

-- name: fact_rules
SELECT DISTINCT rule, scheme FROM posting WHERE device = $1 AND epoch = $2 AND seq = $3 ORDER BY rule, scheme

-- name: card_status
SELECT status FROM card WHERE id = $1

-- name: facts
SELECT COUNT(*) FROM fact

-- name: postings
SELECT COUNT(*) FROM posting

-- name: sums_not_zero
SELECT COUNT(*) FROM (SELECT unit FROM balance GROUP BY unit HAVING SUM(amount) <> 0) s

-- name: cases_of_kind
SELECT COUNT(*) FROM conflict WHERE kind = $1

-- name: open_cases
SELECT COUNT(*) FROM conflict WHERE state IN ('open', 'evidence_changed')

-- name: case_state
SELECT state, verdict FROM conflict WHERE kind = $1

-- name: case_evidence
SELECT COUNT(*) FROM conflict_fact f JOIN conflict c ON c.id = f.conflict WHERE c.kind = $1

-- name: notices
SELECT epoch, seq, became, other_office FROM notice WHERE device = $1 ORDER BY n

-- name: attendance
SELECT office, points, issuer FROM attendance WHERE member = $1

-- name: net_by_cause
SELECT cause, account, unit, CAST(SUM(signed) AS BIGINT) FROM (SELECT cause, credit AS account, unit, amount AS signed FROM posting UNION ALL SELECT cause, debit AS account, unit, -amount AS signed FROM posting) p GROUP BY cause, account, unit HAVING SUM(signed) <> 0 ORDER BY cause, account, unit

-- name: net_by_cause_and_member
SELECT cause, account, unit, CAST(SUM(signed) AS BIGINT) FROM (SELECT cause, REPLACE(credit, '/owed', '/available') AS account, unit, amount AS signed FROM posting UNION ALL SELECT cause, REPLACE(debit, '/owed', '/available'), unit, -amount FROM posting) p GROUP BY cause, account, unit HAVING SUM(signed) <> 0 ORDER BY cause, account, unit

-- name: cases
SELECT id, state, automatic FROM conflict WHERE state <> 'closed' ORDER BY id

-- name: standings
SELECT device, epoch, seq, became, kind FROM fact ORDER BY device, epoch, seq

-- name: admitted
SELECT member, occurrence, device, epoch, seq, issuer, points FROM attendance ORDER BY member, occurrence

-- name: device_status
SELECT status FROM device WHERE id = $1

-- name: add_to_balance
UPDATE balance SET amount = amount + 1 WHERE class = 'available'

-- name: drop_posting
DELETE FROM posting WHERE code = 'earn_purchase'

-- name: change_fact_body
UPDATE fact SET body = $1 WHERE event = 'earned'

-- name: change_entry_body
UPDATE entry SET body = $1 WHERE kind = 'batch'

-- name: a_fact_body
SELECT body FROM fact WHERE event = 'earned'

-- name: wrong_side_of_zero
SELECT COUNT(*) FROM (SELECT account, SUM(signed) AS amount FROM (SELECT credit AS account, amount AS signed FROM posting UNION ALL SELECT debit AS account, -amount AS signed FROM posting) p GROUP BY account) s WHERE (account LIKE '%/available' AND amount < 0) OR (account LIKE '%/owed' AND amount > 0)

-- name: whose
SELECT member FROM fact WHERE device = $1 AND epoch = $2 AND seq = $3

-- name: times
SELECT at, low, high FROM fact WHERE device = $1 ORDER BY seq

-- name: case_detail
SELECT detail FROM conflict WHERE id = $1

-- name: facts_of_case
SELECT COUNT(*) FROM conflict_fact WHERE conflict = $1

-- name: member_status
SELECT status FROM member WHERE id = $1

-- name: sealed_parts
SELECT COUNT(*) FROM fact_sealed

-- name: notes
SELECT COUNT(*) FROM act_note

-- name: kept_beside
SELECT (SELECT COUNT(*) FROM member_detail) + (SELECT COUNT(*) FROM member_custom)

-- name: stock_accounts
SELECT account, CAST(SUM(signed) AS BIGINT) FROM (SELECT credit AS account, pieces AS signed FROM stock_line WHERE item = $1 UNION ALL SELECT debit, -pieces FROM stock_line WHERE item = $1) l GROUP BY account HAVING SUM(signed) <> 0 ORDER BY account

-- name: edits_of
SELECT COUNT(*) FROM member_edit WHERE member = $1

-- name: all_balances
SELECT account, unit, amount FROM balance WHERE amount <> 0 ORDER BY account, unit

-- name: all_cards
SELECT id, status, ended, end_why, due_kind, due_day FROM card ORDER BY id

-- name: all_cases
SELECT id, state FROM conflict ORDER BY id

-- name: all_activities
SELECT id, state FROM occurrence ORDER BY id

-- name: all_leavings
SELECT member, kind, state FROM leaving WHERE state <> 'withdrawn' ORDER BY member

-- name: all_changes
SELECT id, member, points, state FROM points_change ORDER BY id

-- name: all_weeks_told
SELECT member, week FROM message WHERE about = 'purchases' ORDER BY member, week

-- name: all_filled_up
SELECT member, day, amount FROM posting WHERE code = 'round_up' ORDER BY member, day

-- name: all_awards
SELECT ends, place, member, points, reached, award FROM ranking_award ORDER BY ends, place

-- name: all_level_steps
SELECT member, n, day, why, rank, since, until, in_grace FROM level_step ORDER BY member, n

-- name: all_coupons
SELECT id, member, why, fen, starts, until, used FROM coupon ORDER BY id

-- name: settled_day
SELECT settled_day FROM policy

-- name: balance_of_unit
SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM balance WHERE account = $1 AND unit = $2

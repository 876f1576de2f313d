-- Cards: what apply reads and writes of their lives, what people look at, and what is due.

-- name: under
SELECT id, member, status, history, kind, valid_until, rank, under, issue_office, issued, replaces, replaced_by, replaced, ended, end_why, due_kind, due_day
FROM card WHERE under = $1 ORDER BY id

-- name: cards_of_member
SELECT id, member, status, history, kind, valid_until, rank, under, issue_office, issued, replaces, replaced_by, replaced, ended, end_why, due_kind, due_day
FROM card WHERE member = $1 ORDER BY id

-- name: set_life
UPDATE card SET rank = $2, under = $3, issue_office = $4, issued = $5, replaces = $6, replaced_by = $7, replaced = $8, ended = $9, end_why = $10,
    due_kind = $11, due_day = $12, entry = $13 WHERE id = $1

-- name: card_view
SELECT c.id, c.member, c.kind, c.status, c.tail, c.valid_from, c.valid_until, c.rank, c.under, c.issue_office, c.issued, c.replaces, c.replaced_by,
    c.replaced, c.ended, c.end_why, c.due_kind, c.due_day, m.number
FROM card c LEFT JOIN member m ON m.id = c.member WHERE c.id = $1

-- name: cards_issued
SELECT c.id, c.member, c.kind, c.status, c.tail, c.valid_from, c.valid_until, c.rank, c.under, c.issue_office, c.issued, c.replaces, c.replaced_by,
    c.replaced, c.ended, c.end_why, c.due_kind, c.due_day, m.number
FROM card c LEFT JOIN member m ON m.id = c.member
WHERE (c.issued > $1 OR (c.issued = $1 AND c.id > $2)) AND c.issued >= $3 AND c.issued < $4
    AND ($5 = '' OR c.kind = $5) AND ($6 = '' OR c.status = $6) AND ($7 = '' OR c.rank = $7)
ORDER BY c.issued, c.id LIMIT $8

-- name: cards_issued_of_holder
SELECT c.id, c.member, c.kind, c.status, c.tail, c.valid_from, c.valid_until, c.rank, c.under, c.issue_office, c.issued, c.replaces, c.replaced_by,
    c.replaced, c.ended, c.end_why, c.due_kind, c.due_day, m.number
FROM member m JOIN card c ON c.member = m.id
WHERE m.number = $9 AND (c.issued > $1 OR (c.issued = $1 AND c.id > $2)) AND c.issued >= $3 AND c.issued < $4
    AND ($5 = '' OR c.kind = $5) AND ($6 = '' OR c.status = $6) AND ($7 = '' OR c.rank = $7)
ORDER BY c.issued, c.id LIMIT $8

-- name: cards_replaced
SELECT c.id, c.member, c.kind, c.status, c.tail, c.valid_from, c.valid_until, c.rank, c.under, c.issue_office, c.issued, c.replaces, c.replaced_by,
    c.replaced, c.ended, c.end_why, c.due_kind, c.due_day, m.number
FROM card c LEFT JOIN member m ON m.id = c.member
WHERE (c.replaced > $1 OR (c.replaced = $1 AND c.id > $2)) AND c.replaced >= $3 AND c.replaced < $4
    AND ($5 = '' OR c.kind = $5) AND ($6 = '' OR c.status = $6) AND ($7 = '' OR c.rank = $7)
ORDER BY c.replaced, c.id LIMIT $8

-- name: cards_replaced_of_holder
SELECT c.id, c.member, c.kind, c.status, c.tail, c.valid_from, c.valid_until, c.rank, c.under, c.issue_office, c.issued, c.replaces, c.replaced_by,
    c.replaced, c.ended, c.end_why, c.due_kind, c.due_day, m.number
FROM member m JOIN card c ON c.member = m.id
WHERE m.number = $9 AND (c.replaced > $1 OR (c.replaced = $1 AND c.id > $2)) AND c.replaced >= $3 AND c.replaced < $4
    AND ($5 = '' OR c.kind = $5) AND ($6 = '' OR c.status = $6) AND ($7 = '' OR c.rank = $7)
ORDER BY c.replaced, c.id LIMIT $8

-- name: cards_standing
SELECT kind, issue_office, status, CASE WHEN member IS NULL THEN 0 ELSE 1 END, COUNT(*) FROM card
GROUP BY kind, issue_office, status, CASE WHEN member IS NULL THEN 0 ELSE 1 END

-- name: cards_lost
SELECT c.id, c.member, c.kind, c.status, c.tail, c.valid_from, c.valid_until, c.rank, c.under, c.issue_office, c.issued, c.replaces, c.replaced_by,
    c.replaced, c.ended, c.end_why, c.due_kind, c.due_day, m.number
FROM card c LEFT JOIN member m ON m.id = c.member WHERE c.status = 'lost' AND c.id < $1 ORDER BY c.id DESC LIMIT $2

-- name: cards_due
SELECT c.id, c.member, c.kind, c.due_kind, c.due_day, c.tail, m.number FROM card c LEFT JOIN member m ON m.id = c.member
WHERE c.due_day IS NOT NULL AND c.status <> 'void' AND (c.due_day > $1 OR (c.due_day = $1 AND c.id > $2)) ORDER BY c.due_day, c.id LIMIT $3

-- name: sub_ends
SELECT s.id, s.valid_until, m.ended, m.valid_until FROM card s LEFT JOIN card m ON m.id = s.under
WHERE s.rank = 'sub' AND s.status <> 'void' AND s.id > $1
    AND (s.valid_until <= $2 OR m.status = 'void' OR m.valid_until <= $2) ORDER BY s.id LIMIT $3

-- name: main_cards
SELECT c.id, c.member, c.kind, c.due_kind FROM card c JOIN member m ON m.id = c.member
WHERE c.rank = 'main' AND c.status <> 'void' AND c.issued IS NOT NULL AND m.status = 'active' AND m.erased = 0
    AND c.id > $1 ORDER BY c.id LIMIT $2

-- name: points_days
SELECT p.day, p.code, p.debit, p.credit, p.amount FROM posting p WHERE p.member = $1 AND p.unit = 'PTS' AND p.day <= $2 ORDER BY p.day

-- name: job_day
SELECT day FROM job_run WHERE job = $1

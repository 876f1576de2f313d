-- What a batch writes by the hundred, each in one statement with its columns as arrays.

-- name: insert_fact
INSERT INTO fact (device, epoch, seq, hash, body, event, wall, at, low, high, day, received, office, token, member,
    occurrence, became, kind, pin, belongs_to, clock_fault, over_limit, told_became, told_kind, told_case, entry)
SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[], $6::text[], $7::bigint[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bytea[], $14::bytea[], $15::bytea[],
    $16::bytea[], $17::text[], $18::bigint[], $19::bigint[], $20::bytea[], $21::bigint[], $22::bigint[], $23::text[],
    $24::bigint[], $25::bytea[], $26::bytea[])

-- name: set_attendance
INSERT INTO attendance (member, occurrence, device, epoch, seq, office, at, points, issuer, companions, entry)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bigint[],
    $8::bigint[], $9::bytea[], $10::bigint[], $11::bytea[])
ON CONFLICT (member, occurrence) DO UPDATE SET device = excluded.device, epoch = excluded.epoch, seq = excluded.seq,
    office = excluded.office, at = excluded.at, points = excluded.points, issuer = excluded.issuer,
    companions = excluded.companions, entry = excluded.entry

-- name: insert_posting
INSERT INTO posting (id, cause, ordinal, debit, credit, amount, unit, code, member, device, epoch, seq, conflict, at,
    day, scheme, rule, entry)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[],
    $8::text[], $9::bytea[], $10::bytea[], $11::bigint[], $12::bigint[], $13::bytea[], $14::bigint[], $15::bigint[],
    $16::bigint[], $17::text[], $18::bytea[])

-- name: move_balance
INSERT INTO balance (account, unit, class, member, amount, entry)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::bigint[], $6::bytea[])
ON CONFLICT (account, unit) DO UPDATE SET amount = balance.amount + excluded.amount, entry = excluded.entry

-- name: open_balance
INSERT INTO balance (account, unit, class, member, amount, entry)
SELECT u.account, u.unit, u.class, u.member, 0, u.entry
FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::bytea[]) AS u(account, unit, class, member, entry)
ON CONFLICT (account, unit) DO NOTHING

-- name: add_balance
UPDATE balance b SET amount = b.amount + u.amount, entry = u.entry
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[]) AS u(account, unit, amount, entry)
WHERE b.account = u.account AND b.unit = u.unit

-- name: set_link
INSERT INTO fact_link (link, device, epoch, seq)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[])
ON CONFLICT (link, device, epoch, seq) DO NOTHING

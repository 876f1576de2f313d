-- What came over from the system that the club used before, and the record of lists that were taken out. All of it is
-- derived: replaying the journal fills it with the same rows.

-- Opening balances by the cause under which they were posted: the ledger has the sum, this has batch and cause.
CREATE TABLE opening (
    cause BLOB NOT NULL PRIMARY KEY,
    batch TEXT NOT NULL,
    member BLOB NOT NULL,
    unit TEXT NOT NULL CHECK (unit IN ('PTS', 'GROWTH', 'CNY')),
    amount BIGINT NOT NULL CHECK (amount > 0),
    at BIGINT NOT NULL,
    reason BLOB NOT NULL,
    entry BLOB NOT NULL
);

-- Transactions of the other system: shown, and in no balance. What the words say is the vault's.
CREATE TABLE past_line (
    id BLOB NOT NULL PRIMARY KEY,
    batch TEXT NOT NULL,
    member BLOB NOT NULL,
    at BIGINT NOT NULL,
    points BIGINT,
    growth BIGINT,
    money BIGINT,
    words BLOB NOT NULL,
    entry BLOB NOT NULL
);

CREATE INDEX past_line_member ON past_line (member, at);

-- Lists that were taken out: what, how many rows, masked or not, by whom and why.
CREATE TABLE data_export (
    entry BLOB NOT NULL PRIMARY KEY,
    what TEXT NOT NULL,
    rows BIGINT NOT NULL CHECK (rows >= 0),
    clear BIGINT NOT NULL CHECK (clear IN (0, 1)),
    staff BLOB,
    reason BLOB,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL
);

CREATE INDEX data_export_at ON data_export (at);

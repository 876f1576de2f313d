-- Cards and goods on shelves. All of it is derived: replaying the journal fills it with the same rows.

-- How a card was issued, what it stands under and how it ended.
ALTER TABLE card ADD COLUMN rank TEXT NOT NULL DEFAULT 'main' CHECK (rank IN ('main', 'sub', 'medium'));
ALTER TABLE card ADD COLUMN under BLOB;
ALTER TABLE card ADD COLUMN issue_office BLOB;
ALTER TABLE card ADD COLUMN issued BIGINT;
ALTER TABLE card ADD COLUMN replaces BLOB;
ALTER TABLE card ADD COLUMN replaced_by BLOB;
ALTER TABLE card ADD COLUMN replaced BIGINT;
ALTER TABLE card ADD COLUMN ended BIGINT;
ALTER TABLE card ADD COLUMN end_why TEXT CHECK (end_why IN ('expired', 'main_ended', 'replaced', 'lost', 'voided'));
-- the kind that points ask for, and since which business day
ALTER TABLE card ADD COLUMN due_kind TEXT;
ALTER TABLE card ADD COLUMN due_day BIGINT;

CREATE INDEX card_under ON card (under);
CREATE INDEX card_issued ON card (issued, id);
CREATE INDEX card_replaced ON card (replaced, id);
CREATE INDEX card_due ON card (due_day);
CREATE INDEX card_kind ON card (kind, issued, id);

-- What is kept in stock: gifts by the club's own codes, blank cards by their kind.
CREATE TABLE stock_item (
    item BLOB NOT NULL PRIMARY KEY,
    class TEXT NOT NULL CHECK (class IN ('gift', 'blank_card')),
    code TEXT NOT NULL,
    word_zh TEXT NOT NULL,
    word_en TEXT NOT NULL,
    retired BIGINT NOT NULL CHECK (retired IN (0, 1)),
    entry BLOB NOT NULL
);

-- The books of an item at an office: what lies on the shelf is what was moved there, and what counts found more, less
-- what terminals drew.
CREATE TABLE stock (
    item BLOB NOT NULL,
    office BLOB NOT NULL,
    pieces BIGINT NOT NULL CHECK (pieces >= 0),
    moved BIGINT NOT NULL,
    difference BIGINT NOT NULL,
    drawn BIGINT NOT NULL CHECK (drawn >= 0),
    counts BLOB NOT NULL,
    lines BIGINT NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (item, office)
);

CREATE INDEX stock_office ON stock (office);

-- The lines of the stock ledger, each from one account to another; numbered within the books of an item at an office.
CREATE TABLE stock_line (
    item BLOB NOT NULL,
    office BLOB NOT NULL,
    n BIGINT NOT NULL,
    cause BLOB NOT NULL,
    debit TEXT NOT NULL,
    credit TEXT NOT NULL,
    pieces BIGINT NOT NULL CHECK (pieces > 0),
    code TEXT NOT NULL,
    at BIGINT NOT NULL,
    day BIGINT NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (item, office, n)
);

CREATE INDEX stock_line_cause ON stock_line (cause);
CREATE INDEX stock_line_at ON stock_line (at);

-- What closes of day found on shelves that their terminals had not expected.
CREATE TABLE stocktake (
    device BLOB NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    class TEXT NOT NULL CHECK (class IN ('gift', 'blank_card')),
    office BLOB NOT NULL,
    day BIGINT NOT NULL,
    at BIGINT NOT NULL,
    counted BIGINT NOT NULL,
    expected BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'explained', 'void')),
    explained BLOB,
    entry BLOB NOT NULL,
    PRIMARY KEY (device, epoch, seq, class)
);

CREATE INDEX stocktake_state ON stocktake (state, day);

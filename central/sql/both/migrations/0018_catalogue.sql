-- Redemptions of single members from the catalogue. All of it is derived: replaying the journal fills it with the same rows.

-- `asked` is the act; `posting` the cause under which it stands in the ledger; device, epoch and seq name the purchase that
-- opened a special offer. Points and fen are what was decided when it was asked for, whatever the catalogue says later.
CREATE TABLE item_redemption (
    id BLOB NOT NULL PRIMARY KEY,
    asked BLOB NOT NULL,
    member BLOB NOT NULL,
    office BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('gift', 'cash', 'coupon', 'lottery', 'order_pay')),
    name_zh TEXT,
    name_en TEXT,
    points BIGINT NOT NULL CHECK (points > 0),
    normal BIGINT NOT NULL CHECK (normal >= points),
    fen BIGINT NOT NULL CHECK (fen >= 0),
    rule TEXT NOT NULL,
    at BIGINT NOT NULL,
    day BIGINT NOT NULL,
    asker TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'returned', 'taken_back')),
    pieces BIGINT NOT NULL CHECK (pieces IN (0, 1)),
    decided BIGINT,
    decider TEXT,
    decided_why BLOB,
    device BLOB,
    epoch BIGINT,
    seq BIGINT,
    posting BLOB NOT NULL,
    entry BLOB NOT NULL
);

CREATE INDEX item_redemption_at ON item_redemption (at, id);
CREATE INDEX item_redemption_state ON item_redemption (state, at, id);
CREATE INDEX item_redemption_member ON item_redemption (member, at, id);
CREATE INDEX item_redemption_posting ON item_redemption (posting);

-- A purchase opens one offer at most.
CREATE UNIQUE INDEX item_redemption_purchase ON item_redemption (device, epoch, seq) WHERE state IN ('waiting', 'done');

-- Coupons may also be bought with points: the list of what they are given for grows.
ALTER TABLE coupon RENAME TO coupon_before;

CREATE TABLE coupon (
    id BLOB NOT NULL PRIMARY KEY,
    member BLOB NOT NULL,
    why TEXT NOT NULL CHECK (why IN ('welcome', 'birthday', 'redeemed')),
    fen BIGINT NOT NULL CHECK (fen > 0),
    starts BIGINT NOT NULL,
    until BIGINT,
    scheme BIGINT NOT NULL CHECK (scheme >= 0),
    used BIGINT,
    used_at BLOB,
    entry BLOB NOT NULL,
    CHECK ((used IS NULL) = (used_at IS NULL))
);

INSERT INTO coupon (id, member, why, fen, starts, until, scheme, used, used_at, entry)
SELECT id, member, why, fen, starts, until, scheme, used, used_at, entry FROM coupon_before;

DROP TABLE coupon_before;

CREATE INDEX coupon_member ON coupon (member, starts);

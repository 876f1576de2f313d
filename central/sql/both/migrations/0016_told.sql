-- Events that earn and are no purchases. All of it is derived: replaying the journal fills it with the same rows.

-- What somebody told of, with the version of the scheme that rated it (0 for none). `day` is a business day, `cost` fen.
CREATE TABLE told_event (
    id BLOB NOT NULL PRIMARY KEY,
    member BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('activity', 'care', 'complaint', 'task', 'promo')),
    code TEXT NOT NULL,
    day BIGINT NOT NULL,
    cost BIGINT NOT NULL CHECK (cost >= 0),
    paid_percent BIGINT NOT NULL CHECK (paid_percent >= 0 AND paid_percent <= 100),
    serial TEXT NOT NULL,
    office BLOB NOT NULL,
    occurrence BLOB,
    reason BLOB NOT NULL,
    scheme BIGINT NOT NULL CHECK (scheme >= 0),
    asked BIGINT NOT NULL,
    asker TEXT NOT NULL,
    taken BIGINT,
    taker TEXT,
    taken_why BLOB,
    entry BLOB NOT NULL
);

CREATE INDEX told_event_member ON told_event (member, asked, id);
CREATE INDEX told_event_asked ON told_event (asked, id);

-- The event that a change of points was given for, the rule and code that gave it, what grew, and by which version.
ALTER TABLE points_change ADD COLUMN told BLOB;
ALTER TABLE points_change ADD COLUMN rule TEXT;
ALTER TABLE points_change ADD COLUMN rule_of TEXT;
ALTER TABLE points_change ADD COLUMN balance TEXT;
ALTER TABLE points_change ADD COLUMN scheme BIGINT;

CREATE INDEX points_change_told ON points_change (told);

-- Points given on a day, those for events among them.
DROP INDEX posting_earned;
CREATE INDEX posting_earned ON posting (day) WHERE code IN ('earn_activity', 'earn_event', 'earn_purchase', 'reversal');

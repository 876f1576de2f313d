-- A refused order is told of as well: `kind` knows one more. A check cannot be changed in place, so the rows move over.
CREATE TABLE told_event_refused (
    id BLOB NOT NULL PRIMARY KEY,
    member BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('activity', 'care', 'complaint', 'task', 'promo', 'refusal')),
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

INSERT INTO told_event_refused (id, member, kind, code, day, cost, paid_percent, serial, office, occurrence, reason, scheme, asked, asker, taken, taker, taken_why, entry)
SELECT id, member, kind, code, day, cost, paid_percent, serial, office, occurrence, reason, scheme, asked, asker, taken, taker, taken_why, entry FROM told_event;

DROP TABLE told_event;

ALTER TABLE told_event_refused RENAME TO told_event;

CREATE INDEX told_event_member ON told_event (member, asked, id);
CREATE INDEX told_event_asked ON told_event (asked, id);

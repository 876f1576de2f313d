-- Activities. Derived: replaying the journal fills these tables with the same rows. Their holdings are the rows of `occurrence`.

CREATE TABLE activity (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    terms BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('planned', 'approved', 'returned', 'ended')),
    planned_by TEXT NOT NULL,
    planned BIGINT NOT NULL,
    decided BIGINT,
    entry BLOB NOT NULL
);

CREATE INDEX activity_planned ON activity (planned, id);
CREATE INDEX occurrence_activity ON occurrence (activity);

-- Who comes to a holding.
CREATE TABLE sign_up (
    occurrence BLOB NOT NULL,
    member BLOB NOT NULL,
    coming TEXT NOT NULL CHECK (coming IN ('invited', 'placed', 'waiting', 'cancelled')),
    since BIGINT NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (occurrence, member)
);

CREATE INDEX sign_up_member ON sign_up (member);

-- What activities cost, by item; one of nothing was taken out.
CREATE TABLE activity_cost (
    activity BLOB NOT NULL,
    item BIGINT NOT NULL CHECK (item > 0),
    what TEXT NOT NULL,
    occurrence BLOB,
    cost BIGINT NOT NULL CHECK (cost >= 0),
    entry BLOB NOT NULL,
    PRIMARY KEY (activity, item)
);

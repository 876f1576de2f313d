-- Changes of points with their cause, what makes them, redemption by plans, and the weekly message. All of it is derived:
-- replaying the journal fills it with the same rows.

-- Changes that somebody made or asked for. `posting` is the cause under which one stands in the ledger.
CREATE TABLE points_change (
    id BLOB NOT NULL PRIMARY KEY,
    member BLOB NOT NULL,
    points BIGINT NOT NULL CHECK (points <> 0),
    cause TEXT NOT NULL,
    office BLOB NOT NULL,
    occurrence BLOB,
    device BLOB,
    epoch BIGINT,
    seq BIGINT,
    reason BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'posted', 'returned')),
    made_by BLOB,
    asked BIGINT NOT NULL,
    asker TEXT NOT NULL,
    decided BIGINT,
    decider TEXT,
    decided_why BLOB,
    posting BLOB NOT NULL,
    entry BLOB NOT NULL
);

CREATE INDEX points_change_state ON points_change (state, asked, id);
CREATE INDEX points_change_member ON points_change (member, asked, id);
CREATE INDEX points_change_posting ON points_change (posting);

-- What makes changes by itself, and up to when it has looked at what was taken in.
CREATE TABLE points_trigger (
    id BLOB NOT NULL PRIMARY KEY,
    terms BLOB NOT NULL,
    seen BIGINT NOT NULL,
    entry BLOB NOT NULL
);

CREATE TABLE redemption_plan (
    id BLOB NOT NULL PRIMARY KEY,
    terms BLOB NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('planned', 'approved', 'returned', 'ended')),
    planned BIGINT NOT NULL,
    planner TEXT NOT NULL,
    decided BIGINT,
    decider TEXT,
    decided_why BLOB,
    entry BLOB NOT NULL
);

CREATE INDEX redemption_plan_planned ON redemption_plan (planned, id);

-- What each member got by a plan, and under which cause it stands in the ledger.
CREATE TABLE redemption_line (
    plan BLOB NOT NULL,
    member BLOB NOT NULL,
    posting BLOB NOT NULL,
    points BIGINT NOT NULL CHECK (points > 0),
    fen BIGINT NOT NULL CHECK (fen >= 0),
    pieces BIGINT NOT NULL CHECK (pieces >= 0),
    at BIGINT NOT NULL,
    day BIGINT NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (plan, member)
);

CREATE INDEX redemption_line_member ON redemption_line (member, at);
CREATE INDEX redemption_line_posting ON redemption_line (posting);

-- The Monday of the week that a message about purchases is about.
ALTER TABLE message ADD COLUMN week BIGINT;

-- What triggers and the weekly message look at, in the order in which it was taken in.
CREATE INDEX fact_recorded ON fact (received, device, epoch, seq) WHERE event IN ('visited', 'attended', 'earned');

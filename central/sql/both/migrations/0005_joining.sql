-- Joining and leaving. All of these tables but the last one are derived: replaying the journal fills them with the same rows.

-- What the club says of the codes of its dictionaries; the words that Hufu brings along stand in the program.
CREATE TABLE dictionary (
    dictionary TEXT NOT NULL,
    code TEXT NOT NULL,
    word_zh TEXT NOT NULL,
    word_en TEXT NOT NULL,
    place BIGINT NOT NULL,
    retired BIGINT NOT NULL CHECK (retired IN (0, 1)),
    entry BLOB NOT NULL,
    PRIMARY KEY (dictionary, code)
);

-- Applications that were filed at the centre. Those that terminals took are facts.
CREATE TABLE filed_application (
    id BLOB NOT NULL PRIMARY KEY,
    route TEXT NOT NULL,
    way TEXT,
    kind TEXT NOT NULL,
    office BLOB,
    referrer BLOB,
    form BLOB NOT NULL,
    day BIGINT NOT NULL,
    filed BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'pending', 'already_member', 'joined', 'bound', 'merged', 'rejected', 'lapsed')),
    member BLOB,
    looked_up BIGINT NOT NULL CHECK (looked_up IN (0, 1)),
    changed BIGINT NOT NULL,
    standing TEXT NOT NULL,
    automatic BIGINT NOT NULL CHECK (automatic IN (0, 1)),
    carer BLOB,
    entry BLOB NOT NULL
);

CREATE INDEX filed_application_state ON filed_application (state, filed);

-- What the sales system is to be told of applications that have their member, and when it said that it was done.
CREATE TABLE association (
    device BLOB NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    step TEXT NOT NULL CHECK (step IN ('mark', 'add_purchase')),
    member BLOB NOT NULL,
    due BIGINT NOT NULL,
    done BIGINT,
    entry BLOB NOT NULL,
    PRIMARY KEY (device, epoch, seq, step)
);

CREATE INDEX association_due ON association (done, due);

-- Where each member's leaving is; who never left has no row.
CREATE TABLE leaving (
    member BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('filed', 'archived', 'refused', 'restored', 'withdrawn')),
    automatic BIGINT NOT NULL CHECK (automatic IN (0, 1)),
    filed BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    entry BLOB NOT NULL
);

CREATE INDEX leaving_state ON leaving (state, filed);

-- What people are to be told, and in which round and by which channel they were.
CREATE TABLE message (
    id BLOB NOT NULL PRIMARY KEY,
    about TEXT NOT NULL,
    member BLOB,
    device BLOB,
    epoch BIGINT,
    seq BIGINT,
    due BIGINT NOT NULL,
    told BIGINT,
    round BIGINT,
    channel TEXT,
    entry BLOB NOT NULL
);

CREATE INDEX message_due ON message (told, due);
CREATE INDEX message_round ON message (round);
CREATE INDEX message_member ON message (member, due);

-- What the club keeps of members beside the base data; representative and tags are commitments, sealed in the vault.
CREATE TABLE member_detail (
    member BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    referrer BLOB,
    representative BLOB,
    tags BLOB,
    carer BLOB,
    entry BLOB NOT NULL
);

CREATE INDEX member_detail_carer ON member_detail (carer);

-- The club's own groups of fields, and commitments to what members' fields of them say: the values are the vault's.
CREATE TABLE field_group (
    code TEXT NOT NULL PRIMARY KEY,
    terms BLOB NOT NULL,
    entry BLOB NOT NULL
);

CREATE TABLE member_custom (
    member BLOB NOT NULL,
    field_group TEXT NOT NULL,
    content BLOB NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (member, field_group)
);

-- The record of edits: what of a member was edited or opened, by whom, for which reason; what stood there before and
-- after as a code, or as the commitment under which it is sealed.
CREATE TABLE member_edit (
    member BLOB NOT NULL,
    entry BLOB NOT NULL,
    what TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason BLOB,
    at BIGINT NOT NULL,
    before TEXT,
    after TEXT,
    PRIMARY KEY (member, entry, what)
);

CREATE INDEX member_edit_at ON member_edit (at, member);

-- Not derived: how the sending of messages goes. Nothing personal stands here.
CREATE TABLE outbox (
    message BLOB NOT NULL PRIMARY KEY,
    channel TEXT NOT NULL,
    tries BIGINT NOT NULL CHECK (tries >= 0),
    next_at BIGINT NOT NULL,
    sent_at BIGINT,
    error TEXT
);

CREATE INDEX outbox_next ON outbox (sent_at, next_at);

-- The core of the centre: the journal and everything that applying its entries gives.
--
-- Tables up to `entry` are the source. Every other table here is derived: replaying the journal into an empty
-- database fills it with the same rows. Keys that name members, cards or devices come first in their indexes, so the
-- schema can be spread by them. Instants are microseconds in UTC, days are counted from 1970-01-01, amounts are
-- counts of a unit's smallest part. `entry` columns name the journal entry that last wrote a row: its version.

-- One row: the order in which entries are taken, and the newest received time, which never runs back.
CREATE TABLE journal_gate (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    last_received BIGINT NOT NULL
);

INSERT INTO journal_gate (id, last_received) VALUES (1, 0);

-- One row: who numbers committed entries, and how far: the last number, the hash there, the time of that entry. A term
-- that was lost numbers nothing.
CREATE TABLE publisher (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    term BIGINT NOT NULL,
    holder TEXT NOT NULL,
    held_until BIGINT NOT NULL,
    n BIGINT NOT NULL,
    head BLOB NOT NULL,
    received BIGINT NOT NULL
);

-- The central journal.
CREATE TABLE entry (
    id BLOB NOT NULL PRIMARY KEY,
    received BIGINT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    body BLOB NOT NULL
);

-- Place of each entry in the journal's chain, given after commit by the publisher. Apart from the entries: those are
-- large, and are written once.
CREATE TABLE entry_place (
    n BIGINT NOT NULL PRIMARY KEY,
    entry BLOB NOT NULL UNIQUE,
    hash BLOB NOT NULL
);

-- Places of the journal from which replay may begin: the hash of the whole derived state before the entry, signed. Of
-- the newest the state itself is kept, packed, in parts.
CREATE TABLE replay_base (
    entry BLOB NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    hash BLOB NOT NULL,
    rows BIGINT NOT NULL,
    signature BLOB NOT NULL
);

CREATE TABLE replay_base_part (
    entry BLOB NOT NULL,
    n BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (entry, n)
);

CREATE TABLE club (
    id BLOB NOT NULL PRIMARY KEY,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    central_epoch BIGINT NOT NULL,
    central_epoch_bits BLOB NOT NULL,
    entry BLOB NOT NULL
);

-- One row: the club's limits and allowances, and the version of the rules that entries are applied by.
CREATE TABLE policy (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    terms BLOB,
    apply_version BIGINT NOT NULL,
    -- the central epoch of the newest recovery, 0 for none; since when it runs, nothing once it has ended
    recovery_epoch BIGINT NOT NULL DEFAULT 0,
    recovering_since BIGINT,
    -- the newest business day that was settled
    settled_day BIGINT,
    entry BLOB
);

INSERT INTO policy (id, terms, apply_version, entry) VALUES (1, NULL, 1, NULL);

CREATE TABLE office (
    id BLOB NOT NULL PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    zone TEXT NOT NULL,
    cutoff_minutes BIGINT NOT NULL CHECK (cutoff_minutes BETWEEN 0 AND 360),
    entry BLOB NOT NULL
);

CREATE INDEX office_entry ON office (entry);

CREATE TABLE occurrence (
    id BLOB NOT NULL PRIMARY KEY,
    activity BLOB NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    starts BIGINT NOT NULL,
    ends BIGINT NOT NULL CHECK (ends > starts),
    state TEXT NOT NULL CHECK (state IN ('planned', 'approved', 'ended')),
    admits_once BIGINT NOT NULL CHECK (admits_once IN (0, 1)),
    points BIGINT NOT NULL CHECK (points >= 0),
    places BIGINT,
    offices BLOB NOT NULL,
    exits BIGINT NOT NULL CHECK (exits IN (0, 1)),
    gifts BLOB NOT NULL,
    guests BLOB NOT NULL,
    audience BLOB NOT NULL,
    entry BLOB NOT NULL
);

CREATE INDEX occurrence_entry ON occurrence (entry);

CREATE TABLE scheme (
    version BIGINT NOT NULL PRIMARY KEY,
    valid_from BIGINT NOT NULL,
    terms BLOB NOT NULL,
    published BIGINT NOT NULL,
    entry BLOB NOT NULL
);

CREATE INDEX scheme_entry ON scheme (entry);

-- A member without anything personal: that is the vault's.
CREATE TABLE member (
    id BLOB NOT NULL PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    level_zh TEXT,
    level_en TEXT,
    status TEXT NOT NULL CHECK (status IN ('active', 'stopped', 'left')),
    status_since BIGINT NOT NULL,
    office BLOB,
    personal BLOB NOT NULL,
    merged_into BLOB,
    erased BIGINT NOT NULL DEFAULT 0 CHECK (erased IN (0, 1)),
    entry BLOB NOT NULL
);

CREATE INDEX member_entry ON member (entry);

-- Until which day, and when, each job ran that goes day by day; without a day, it has all to do again.
CREATE TABLE job_run (
    job TEXT NOT NULL PRIMARY KEY,
    day BIGINT,
    at BIGINT NOT NULL,
    entry BLOB NOT NULL
);

-- Fields of a member's data that a person changed: how often, and when last. The data itself is in the vault.
CREATE TABLE member_field (
    member BLOB NOT NULL,
    field TEXT NOT NULL,
    changes BIGINT NOT NULL CHECK (changes >= 1),
    changed BIGINT NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (member, field)
);

CREATE TABLE card (
    id BLOB NOT NULL PRIMARY KEY,
    member BLOB,
    kind TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'lost', 'stopped', 'void')),
    tail TEXT NOT NULL,
    valid_from BIGINT,
    valid_until BIGINT,
    -- whose it was and in what state, from when on, oldest first
    history BLOB NOT NULL,
    status_entry BLOB NOT NULL,
    entry BLOB NOT NULL
);

CREATE INDEX card_member ON card (member);
CREATE INDEX card_entry ON card (entry);
CREATE INDEX card_status_entry ON card (status_entry);

CREATE TABLE card_token (
    token BLOB NOT NULL PRIMARY KEY,
    card BLOB NOT NULL
);

CREATE INDEX card_token_card ON card_token (card);

CREATE TABLE device (
    id BLOB NOT NULL PRIMARY KEY,
    office BLOB NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('invited', 'active', 'forked', 'lost', 'revoked')),
    epoch BIGINT NOT NULL CHECK (epoch >= 0),
    leases_frozen BIGINT NOT NULL CHECK (leases_frozen IN (0, 1)),
    reported_epoch BIGINT NOT NULL,
    entry BLOB NOT NULL
);

-- One row per enrolment: where its chain began and how far it was taken in. The cursor is the store of what was
-- delivered: nothing else is needed to tell a duplicate.
CREATE TABLE device_epoch (
    device BLOB NOT NULL,
    epoch BIGINT NOT NULL CHECK (epoch >= 1),
    first_key BLOB NOT NULL,
    seal_key BLOB NOT NULL,
    board BLOB NOT NULL,
    enrolled_at BIGINT NOT NULL,
    acked_seq BIGINT NOT NULL CHECK (acked_seq >= 0),
    head BLOB NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (device, epoch)
);

CREATE TABLE device_key (
    device BLOB NOT NULL,
    epoch BIGINT NOT NULL,
    key_id BLOB NOT NULL,
    public_key BLOB NOT NULL,
    PRIMARY KEY (device, epoch, key_id)
);

-- A boot of a device and what bounds its clock: true time = offset + monotonic time. `clock` holds the bounds of all
-- its moments; the offsets are those of its start, for people.
CREATE TABLE boot (
    device BLOB NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    boot BLOB NOT NULL,
    offset_low BIGINT,
    offset_high BIGINT,
    clock BLOB NOT NULL,
    PRIMARY KEY (device, epoch, seq)
);

-- What was taken in. `became` is how the fact stands now, `told_*` what the receipt said and always says again.
CREATE TABLE fact (
    device BLOB NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL CHECK (seq >= 1),
    hash BLOB NOT NULL,
    body BLOB NOT NULL,
    event TEXT NOT NULL,
    wall BIGINT NOT NULL,
    at BIGINT NOT NULL,
    low BIGINT NOT NULL,
    high BIGINT NOT NULL,
    day BIGINT NOT NULL,
    received BIGINT NOT NULL,
    office BLOB NOT NULL,
    token BLOB,
    member BLOB,
    occurrence BLOB,
    became TEXT NOT NULL,
    kind BIGINT,
    pin BIGINT,
    belongs_to BLOB,
    clock_fault BIGINT NOT NULL CHECK (clock_fault IN (0, 1)),
    over_limit BIGINT NOT NULL CHECK (over_limit IN (0, 1)),
    at_desk BLOB,
    told_became TEXT,
    told_kind BIGINT,
    told_case BLOB,
    entry BLOB NOT NULL,
    PRIMARY KEY (device, epoch, seq)
);

CREATE INDEX fact_member_occurrence ON fact (member, occurrence);
CREATE INDEX fact_token ON fact (token, device, epoch, seq);
CREATE INDEX fact_office_day ON fact (office, day);
CREATE INDEX fact_device_at ON fact (device, at);
CREATE INDEX fact_request ON fact (received) WHERE event = 'profile_change_requested';

-- By what a fact is found again when another one concerns it: hashes of what they have in common.
CREATE TABLE fact_link (
    link BLOB NOT NULL,
    device BLOB NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (link, device, epoch, seq)
) {without_rowid};

-- Applications to join, and whether it was looked up whom they look like.
CREATE TABLE application (
    device BLOB NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    looked_up BIGINT NOT NULL CHECK (looked_up IN (0, 1)),
    entry BLOB NOT NULL,
    PRIMARY KEY (device, epoch, seq)
);

CREATE INDEX application_looked_up ON application (looked_up);

-- Of each version of the block list and the directory that a spend or a request was decided by: when the newest act in it was taken.
CREATE TABLE version_known (
    epoch BIGINT NOT NULL,
    n BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (epoch, n)
);

-- Clear fields of facts, sealed to the centre; apart from the journal, so that they can be erased.
CREATE TABLE fact_sealed (
    device BLOB NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (device, epoch, seq)
);

-- Facts of the other branch of a fork, kept for review.
CREATE TABLE fork_fact (
    device BLOB NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    hash BLOB NOT NULL,
    body BLOB NOT NULL,
    received BIGINT NOT NULL,
    PRIMARY KEY (device, epoch, seq, hash)
);

-- One row per member and occurrence that admits once: by which check-in it admits, and what that gave.
CREATE TABLE attendance (
    member BLOB NOT NULL,
    occurrence BLOB NOT NULL,
    device BLOB NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    office BLOB,
    at BIGINT NOT NULL,
    points BIGINT NOT NULL CHECK (points >= 0),
    issuer BLOB,
    entry BLOB NOT NULL,
    PRIMARY KEY (member, occurrence)
);

CREATE INDEX attendance_occurrence ON attendance (occurrence);

-- The ledger: insert-only; a correction is a linked opposite entry of the same cause.
CREATE TABLE posting (
    id BLOB NOT NULL PRIMARY KEY,
    cause BLOB NOT NULL,
    ordinal BIGINT NOT NULL,
    debit TEXT NOT NULL,
    credit TEXT NOT NULL CHECK (credit <> debit),
    amount BIGINT NOT NULL CHECK (amount > 0),
    unit TEXT NOT NULL CHECK (unit IN ('PTS', 'GROWTH', 'CNY')),
    code TEXT NOT NULL,
    member BLOB,
    device BLOB,
    epoch BIGINT,
    seq BIGINT,
    conflict BLOB,
    at BIGINT NOT NULL,
    day BIGINT NOT NULL,
    scheme BIGINT NOT NULL,
    rule TEXT,
    entry BLOB NOT NULL,
    UNIQUE (cause, ordinal)
);

CREATE INDEX posting_member ON posting (member, at);
CREATE INDEX posting_fact ON posting (device, epoch, seq);
-- What was earned on a day: a figure of the console's first page.
CREATE INDEX posting_earned ON posting (day) WHERE code IN ('earn_activity', 'earn_purchase', 'reversal');

-- What each device gave on a business day, as known when its facts were taken in: the measure of its limits.
CREATE TABLE issued (
    device BLOB NOT NULL,
    day BIGINT NOT NULL,
    points BIGINT NOT NULL CHECK (points >= 0),
    top_up BIGINT NOT NULL CHECK (top_up >= 0),
    entry BLOB NOT NULL,
    PRIMARY KEY (device, day)
);

-- Rights to spend offline, one row per generation. `escrow` is what of it the ledger still holds set aside.
CREATE TABLE lease (
    lease BLOB NOT NULL,
    generation BIGINT NOT NULL,
    device BLOB NOT NULL,
    enrolment BIGINT NOT NULL,
    member BLOB NOT NULL,
    unit TEXT NOT NULL CHECK (unit IN ('PTS', 'GROWTH', 'CNY')),
    granted_total BIGINT NOT NULL CHECK (granted_total >= 0),
    settled BIGINT NOT NULL CHECK (settled >= 0),
    lost BIGINT NOT NULL CHECK (lost >= 0),
    released BIGINT NOT NULL CHECK (released >= 0),
    written_off BIGINT,
    disputed BIGINT NOT NULL,
    dismissed BIGINT NOT NULL,
    spent_reported BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    holes BLOB NOT NULL,
    closed BIGINT,
    ttl_s BIGINT NOT NULL,
    reboot_cost_s BIGINT NOT NULL,
    reboots_max BIGINT NOT NULL,
    version_epoch BIGINT NOT NULL,
    version_n BIGINT NOT NULL,
    set_at BIGINT NOT NULL,
    first_epoch BIGINT NOT NULL,
    escrow BIGINT NOT NULL CHECK (escrow >= 0),
    is_open BIGINT NOT NULL CHECK (is_open IN (0, 1)),
    entry BLOB NOT NULL,
    PRIMARY KEY (lease, generation),
    CHECK (settled + lost <= granted_total)
);

CREATE INDEX lease_device ON lease (device, is_open);
CREATE INDEX lease_member ON lease (member, is_open);
CREATE INDEX lease_entry ON lease (entry);

-- Sum of credits minus debits of each account. What a member has can never be below zero, what a member owes never
-- above it (people read it with the sign turned).
CREATE TABLE balance (
    account TEXT NOT NULL,
    unit TEXT NOT NULL,
    class TEXT NOT NULL,
    member BLOB,
    amount BIGINT NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (account, unit),
    CHECK (class NOT IN ('available', 'escrow') OR amount >= 0),
    CHECK (class <> 'owed' OR amount <= 0)
);

CREATE INDEX balance_member ON balance (member, unit);
CREATE INDEX balance_entry ON balance (entry);

-- Cases of conflict.
CREATE TABLE conflict (
    id BLOB NOT NULL PRIMARY KEY,
    kind BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'decided', 'closed', 'evidence_changed')),
    member BLOB,
    occurrence BLOB,
    device BLOB,
    token BLOB,
    detail BLOB NOT NULL,
    automatic TEXT NOT NULL,
    verdict TEXT,
    opened BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    deadline BIGINT,
    entry BLOB NOT NULL,
    -- What the person saw who decided.
    decided_detail BLOB,
    decided_facts BLOB
);

CREATE INDEX conflict_state ON conflict (state, kind, opened);

CREATE TABLE conflict_fact (
    conflict BLOB NOT NULL,
    device BLOB NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (conflict, device, epoch, seq)
);

CREATE INDEX conflict_fact_fact ON conflict_fact (device, epoch, seq);

-- What a terminal must be told after its receipt, numbered per device.
CREATE TABLE notice (
    device BLOB NOT NULL,
    n BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    became TEXT NOT NULL,
    kind BIGINT,
    conflict BLOB,
    other_office TEXT,
    other_at BIGINT,
    entry BLOB NOT NULL,
    PRIMARY KEY (device, n)
);

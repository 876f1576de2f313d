-- The terminal's journal: what happened, in the order in which it happened, until long after the centre has it.
-- One file, one connection, WAL with synchronous=FULL. Rows of `facts` are never updated.

-- Facts of one enrolment. The head of the chain is the last row, or the anchor when there is none.
CREATE TABLE facts (
    seq INTEGER PRIMARY KEY CHECK (seq > 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32),   -- chain hash after this fact
    body BLOB NOT NULL,                             -- the exact bytes that are hashed and sent
    sealed BLOB                                     -- what only the centre may read, beside the body
) STRICT;

-- Everything there is exactly one of.
CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    device BLOB NOT NULL CHECK (length(device) = 16),
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    anchor_seq INTEGER NOT NULL CHECK (anchor_seq >= 0),            -- facts up to here were pruned; 0 for none
    anchor_hash BLOB NOT NULL CHECK (length(anchor_hash) = 32),     -- chain hash there
    acked_seq INTEGER NOT NULL DEFAULT 0 CHECK (acked_seq >= 0),    -- facts up to here are durable at the centre
    shown_seq INTEGER NOT NULL DEFAULT 0 CHECK (shown_seq >= 0),    -- facts up to here were shown; follows lazily
    boot_seq INTEGER NOT NULL DEFAULT 0 CHECK (boot_seq >= 0),      -- seq of the last Booted fact
    closed_seq INTEGER NOT NULL DEFAULT 0 CHECK (closed_seq >= 0),  -- seq of the last DayClosed fact
    boot_counter INTEGER NOT NULL DEFAULT 0 CHECK (boot_counter >= 0),
    running INTEGER NOT NULL DEFAULT 0 CHECK (running IN (0, 1)),   -- 1 from start to orderly end
    time_floor INTEGER NOT NULL DEFAULT 0,                          -- the time was at least this, microseconds
    checked_at INTEGER NOT NULL DEFAULT 0,                          -- last full integrity check, microseconds
    directory_at INTEGER,                                           -- the directory was current then, microseconds
    purpose BLOB,                                                   -- what the terminal was set to do, CBOR
    block_epoch INTEGER NOT NULL DEFAULT 0 CHECK (block_epoch >= 0),
    block_n INTEGER NOT NULL DEFAULT 0 CHECK (block_n >= 0),
    notices_n INTEGER NOT NULL DEFAULT 0 CHECK (notices_n >= 0),    -- last notice taken
    central_epoch BLOB,                                             -- newest epoch of the centre, CBOR
    mark BLOB,                                                      -- mark of the last receipt, CBOR as signed
    machine_boot TEXT,                                              -- the machine's start when leases were last aged
    machine_ns INTEGER CHECK (machine_ns >= 0),                     -- nanoseconds since that start, then
    stopped TEXT,                                                   -- why uploading stopped; none while it goes on
    refusals_counted INTEGER NOT NULL DEFAULT 0 CHECK (refusals_counted >= 0), -- refusals since the room got tight
    paper_seq INTEGER CHECK (paper_seq >= 0)                        -- facts up to here came before the first printer
) STRICT;

-- Who was checked in to what, first time only. `who` is a member (16 bytes) or, if unknown, a token (18 bytes).
CREATE TABLE attendance (
    occurrence BLOB NOT NULL CHECK (length(occurrence) = 16),
    who BLOB NOT NULL CHECK (length(who) IN (16, 18)),
    seq INTEGER NOT NULL CHECK (seq > 0),
    at INTEGER NOT NULL,
    PRIMARY KEY (occurrence, who)
) STRICT, WITHOUT ROWID;

-- How often each gate was passed: check-ins and leavings that are no repeats. Gate 0 where none is numbered.
CREATE TABLE passages (
    occurrence BLOB NOT NULL CHECK (length(occurrence) = 16),
    gate INTEGER NOT NULL CHECK (gate BETWEEN 0 AND 65535),
    entered INTEGER NOT NULL CHECK (entered >= 0),
    gone INTEGER NOT NULL CHECK (gone >= 0),
    PRIMARY KEY (occurrence, gate)
) STRICT, WITHOUT ROWID;

-- The batch check-in that is being collected, if there is one, and its cards. `who` as in attendance.
CREATE TABLE batch (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    occurrence BLOB NOT NULL CHECK (length(occurrence) = 16)
) STRICT;
CREATE TABLE batch_lines (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    who BLOB NOT NULL UNIQUE CHECK (length(who) IN (16, 18)),
    token BLOB NOT NULL CHECK (length(token) = 18),
    medium BLOB NOT NULL,             -- CBOR
    reader INTEGER NOT NULL CHECK (reader BETWEEN 0 AND 255),
    nonce BLOB CHECK (length(nonce) = 8),
    tail TEXT NOT NULL                -- end of the card's number
) STRICT;

-- The refusal that may still be repeated, as the fact that it will become (seq 0).
CREATE TABLE pending_refusal (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    body BLOB NOT NULL
) STRICT;

-- Nonces of member codes taken here, until no clock would take the code any more.
CREATE TABLE used_codes (
    nonce BLOB PRIMARY KEY CHECK (length(nonce) = 8),
    over_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Value facts that were recorded before an unclean end and perhaps never shown; staff say what happened.
CREATE TABLE unshown (
    seq INTEGER PRIMARY KEY CHECK (seq > 0)
) STRICT;

-- Cards that must be refused, whatever the directory says.
CREATE TABLE blocks (
    token BLOB PRIMARY KEY CHECK (length(token) = 18),
    card BLOB CHECK (length(card) = 16),    -- none for what was reported lost or replaced here
    status TEXT NOT NULL CHECK (status IN ('lost', 'stopped', 'void')),
    epoch INTEGER NOT NULL DEFAULT 0        -- the centre's epoch whose list named it last; 0 for what was stopped here
) STRICT, WITHOUT ROWID;
CREATE INDEX blocks_by_card ON blocks (card);

-- Cards that were given to members here in place of others: whose they are until the directory says it.
CREATE TABLE given (
    token BLOB PRIMARY KEY CHECK (length(token) = 18),
    member BLOB NOT NULL CHECK (length(member) = 16)
) STRICT, WITHOUT ROWID;

-- What became of facts that were not plainly applied, until staff have taken note.
CREATE TABLE notices (
    id INTEGER PRIMARY KEY,
    n INTEGER UNIQUE,                 -- number of the centre's notice; none if it came with a receipt
    seq INTEGER NOT NULL,
    became INTEGER NOT NULL,          -- as on the wire
    kind INTEGER,
    case_hash BLOB,
    other_office TEXT,
    other_at INTEGER,
    acknowledged INTEGER NOT NULL DEFAULT 0 CHECK (acknowledged IN (0, 1))
) STRICT;
CREATE INDEX notices_open ON notices (id) WHERE acknowledged = 0;

-- How far the centre had acknowledged at the end of each day, so that facts can be kept long enough.
CREATE TABLE acks (
    day INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL
) STRICT;

-- Leases, one row per lease and generation: what the centre granted, as it signed it, and what was spent of it here.
-- They lie in this file so that a directory that is swapped cannot take `spent_total` back.
CREATE TABLE leases (
    lease BLOB NOT NULL CHECK (length(lease) = 16),
    generation INTEGER NOT NULL CHECK (generation >= 0),
    member BLOB NOT NULL CHECK (length(member) = 16),
    unit TEXT NOT NULL,
    state BLOB NOT NULL,                                       -- CBOR as signed
    enrolment INTEGER NOT NULL CHECK (enrolment > 0),          -- under which it came
    granted_total INTEGER NOT NULL CHECK (granted_total >= 0), -- as in the state
    spent_total INTEGER NOT NULL CHECK (spent_total BETWEEN 0 AND granted_total),
    closed INTEGER NOT NULL CHECK (closed IN (0, 1)),
    last_fact INTEGER,                                         -- seq of the newest spend or close
    counted_ns INTEGER NOT NULL CHECK (counted_ns >= 0),       -- age, counted up to:
    counted_at_ns INTEGER NOT NULL CHECK (counted_at_ns >= 0), -- monotonic time of the current boot
    reboots INTEGER NOT NULL CHECK (reboots >= 0),             -- starts that no clock measured
    echoed INTEGER NOT NULL CHECK (echoed IN (0, 1)),          -- the centre was told that the state is held
    PRIMARY KEY (lease, generation)
) STRICT, WITHOUT ROWID;
-- Of one member and unit at most one is open.
CREATE UNIQUE INDEX leases_open ON leases (member, unit) WHERE closed = 0;

-- Legs of value facts: what may still be taken back of them, and spends that the centre's figures may not know yet.
CREATE TABLE value_legs (
    seq INTEGER NOT NULL CHECK (seq > 0),
    unit TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('earned', 'spent', 'topped_up')),
    member BLOB CHECK (length(member) = 16),
    amount INTEGER NOT NULL CHECK (amount > 0),
    reversed INTEGER NOT NULL DEFAULT 0 CHECK (reversed BETWEEN 0 AND amount),
    settled_at INTEGER,                                        -- the centre had it then, by its own clock
    PRIMARY KEY (seq, unit)
) STRICT, WITHOUT ROWID;
CREATE INDEX value_legs_spent ON value_legs (member, unit) WHERE kind = 'spent';
CREATE INDEX value_legs_waiting ON value_legs (seq) WHERE settled_at IS NULL;

-- Slips whose facts were recorded here: the same slip is not taken twice.
CREATE TABLE slips (
    shop TEXT NOT NULL,
    number TEXT NOT NULL,
    day INTEGER NOT NULL,                                      -- as printed
    seq INTEGER NOT NULL CHECK (seq > 0),
    at INTEGER NOT NULL,
    PRIMARY KEY (shop, number, day)
) STRICT, WITHOUT ROWID;

-- What was handed to whom, first time only.
CREATE TABLE handed_out (
    occurrence BLOB NOT NULL CHECK (length(occurrence) = 16),
    item BLOB NOT NULL CHECK (length(item) = 16),
    who BLOB NOT NULL CHECK (length(who) IN (16, 18)),
    seq INTEGER NOT NULL CHECK (seq > 0),
    at INTEGER NOT NULL,
    PRIMARY KEY (occurrence, item, who)
) STRICT, WITHOUT ROWID;

-- What came of trying the terminal's parts at set-up: the last result of each.
CREATE TABLE setup (
    part TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    worked INTEGER NOT NULL CHECK (worked IN (0, 1)),
    there TEXT NOT NULL,    -- the devices that were there then
    met TEXT NOT NULL,      -- what was met, as a word
    detail TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Slips that came out of the printer. What is due and not here was not printed.
CREATE TABLE paper (
    seq INTEGER PRIMARY KEY CHECK (seq > 0),
    copies INTEGER NOT NULL CHECK (copies > 0)
) STRICT;

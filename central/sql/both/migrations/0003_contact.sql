-- What the centre knows beside the journal: contact with devices, enrolment codes, certificates, snapshots, people
-- who work at the console. None of it has a say in what applying the journal gives.

CREATE TABLE device_contact (
    device BLOB NOT NULL PRIMARY KEY,
    last_contact BIGINT NOT NULL,
    address TEXT NOT NULL,
    software TEXT NOT NULL,
    queued BIGINT NOT NULL,
    notices_taken BIGINT NOT NULL,
    directory_epoch BIGINT NOT NULL,
    directory_n BIGINT NOT NULL,
    block_epoch BIGINT NOT NULL,
    block_n BIGINT NOT NULL,
    duplicates BIGINT NOT NULL,
    gaps BIGINT NOT NULL,
    review_bytes BIGINT NOT NULL DEFAULT 0,
    -- How ready it is to go offline, as it said with its last poll.
    readiness TEXT
);

CREATE TABLE enrol_code (
    device BLOB NOT NULL PRIMARY KEY,
    secret_hash BLOB NOT NULL,
    made_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    tries_left BIGINT NOT NULL CHECK (tries_left >= 0),
    used_at BIGINT
);

CREATE TABLE device_certificate (
    fingerprint BLOB NOT NULL PRIMARY KEY,
    device BLOB NOT NULL,
    epoch BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    issued_at BIGINT NOT NULL
);

CREATE INDEX device_certificate_device ON device_certificate (device);

CREATE TABLE token_key (
    office_group TEXT NOT NULL,
    version BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (office_group, version)
);

CREATE TABLE snapshot (
    scope BLOB NOT NULL PRIMARY KEY,
    version_epoch BIGINT NOT NULL,
    version_n BIGINT NOT NULL,
    manifest BLOB NOT NULL
);

CREATE TABLE snapshot_chunk (
    hash BLOB NOT NULL PRIMARY KEY,
    body BLOB NOT NULL,
    made_at BIGINT NOT NULL
);

CREATE TABLE staff (
    id BLOB NOT NULL PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'information', 'clerk', 'manager', 'supervisor', 'promoter')),
    superior BLOB,
    office BLOB,
    password TEXT NOT NULL,
    must_change BIGINT NOT NULL CHECK (must_change IN (0, 1)),
    failed_tries BIGINT NOT NULL,
    locked_until BIGINT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);

CREATE TABLE session (
    token_hash BLOB NOT NULL PRIMARY KEY,
    staff BLOB NOT NULL,
    csrf BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL
);

CREATE INDEX session_staff ON session (staff);

-- Reasons that people typed, sealed; the journal holds only their commitments.
CREATE TABLE act_note (
    commitment BLOB NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL,
    staff BLOB,
    made_at BIGINT NOT NULL
);

-- Files taken by an import, so that the same file twice is refused unless forced.
CREATE TABLE import_file (
    hash BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    rows BIGINT NOT NULL,
    imported_at BIGINT NOT NULL
);

-- Versions of lease states that a device said it has stored.
CREATE TABLE lease_echo (
    device BLOB NOT NULL,
    lease BLOB NOT NULL,
    epoch BIGINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (device, lease)
);

-- What was raised at a device on a business day because it asked.
CREATE TABLE lease_raised (
    device BLOB NOT NULL,
    day BIGINT NOT NULL,
    unit TEXT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (device, day, unit)
);

-- Leases whose holders were asked to close, because another terminal needs what they hold.
CREATE TABLE recall (
    lease BLOB NOT NULL,
    generation BIGINT NOT NULL,
    device BLOB NOT NULL,
    member BLOB NOT NULL,
    unit TEXT NOT NULL,
    asker BLOB NOT NULL,
    asked_at BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (lease, generation)
);

CREATE INDEX recall_member ON recall (member, unit);
CREATE INDEX recall_device ON recall (device);

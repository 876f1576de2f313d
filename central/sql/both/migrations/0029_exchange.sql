-- Files that people bring to the console and lists that they take out of it, one row for each, as people look at them.
-- Not derived: what was imported and that a list was taken out is in the journal, a run is how that went.

CREATE TABLE exchange_run (
    id BLOB NOT NULL PRIMARY KEY,
    direction TEXT NOT NULL CHECK (direction IN ('import', 'export')),
    -- the kind of file, or which list
    what TEXT NOT NULL,
    -- what the file was called
    name TEXT NOT NULL,
    staff BLOB NOT NULL,
    started BIGINT NOT NULL,
    -- when it said last that it goes on
    seen BIGINT NOT NULL,
    ended BIGINT,
    state TEXT NOT NULL
        CHECK (state IN ('waiting', 'checking', 'checked', 'running', 'done', 'failed', 'stopped')),
    -- rows that it is to write, and those that it has written
    total BIGINT NOT NULL CHECK (total >= 0),
    done BIGINT NOT NULL CHECK (done >= 0),
    stop BIGINT NOT NULL CHECK (stop IN (0, 1)),
    error_zh TEXT NOT NULL,
    error_en TEXT NOT NULL,
    -- until when its parts are kept
    expires BIGINT NOT NULL
);

CREATE INDEX exchange_run_started ON exchange_run (started, id);
CREATE INDEX exchange_run_expires ON exchange_run (expires);

-- What belongs to a run and may hold personal data: the file, what was asked, what a dry run told, the file to be
-- fetched. Sealed to the centre, and gone once the run expires.
CREATE TABLE exchange_part (
    run BLOB NOT NULL,
    part TEXT NOT NULL CHECK (part IN ('source', 'asked', 'preview', 'result')),
    sealed BLOB NOT NULL,
    PRIMARY KEY (run, part)
);

-- What a version of the scheme was written from, as people edit it. Not derived: what holds is the journal's.
CREATE TABLE scheme_text (
    version BIGINT NOT NULL PRIMARY KEY CHECK (version > 0),
    body TEXT NOT NULL,
    actor TEXT NOT NULL,
    written BIGINT NOT NULL
);

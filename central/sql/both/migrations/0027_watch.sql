-- What shows that terminals are there: in which quarters of an hour each was heard of, what it says of itself, and from
-- which silence on people of an office are to be alarmed. None of it has a say in what applying the journal gives.

-- A quarter is counted from 1970-01-01 00:00 UTC.
CREATE TABLE device_heard (
    device BLOB NOT NULL,
    quarter BIGINT NOT NULL,
    PRIMARY KEY (device, quarter)
) {without_rowid};

CREATE TABLE office_watch (
    office BLOB NOT NULL PRIMARY KEY,
    silent_minutes BIGINT NOT NULL CHECK (silent_minutes >= 5 AND silent_minutes <= 1440),
    -- Minutes after midnight; one that closes at or before it opens closes on the next day.
    opens BIGINT NOT NULL CHECK (opens >= 0 AND opens < 1440),
    closes BIGINT NOT NULL CHECK (closes >= 0 AND closes < 1440),
    changed_at BIGINT NOT NULL,
    changed_by BLOB NOT NULL
);

-- Members of one office are counted.
CREATE INDEX member_office ON member (office, number);

-- How it is, as it said with its last poll.
ALTER TABLE device_contact ADD COLUMN health TEXT;

-- How much a run found to do when it began, as far as somebody counted; none where nobody did.
ALTER TABLE job_runs ADD COLUMN expected BIGINT CHECK (expected >= 0);

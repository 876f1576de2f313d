-- When members joined, what became of their stored value, and how jobs ran.

-- The business day on which a member joined; the grace of the first year counts from it. Derived.
ALTER TABLE member ADD COLUMN joined BIGINT NOT NULL DEFAULT 0;
-- Whether the stored value is frozen; and when it was frozen and set free, oldest first. Derived.
ALTER TABLE member ADD COLUMN value_frozen BIGINT NOT NULL DEFAULT 0 CHECK (value_frozen IN (0, 1));
ALTER TABLE member ADD COLUMN value_turns BLOB;

-- What the centre's own desk paid out on a business day.
CREATE INDEX posting_moved ON posting (day) WHERE code = 'move';

-- Runs of jobs, one row each, as people look at them. Not derived: how long a run took is not in the books.
CREATE TABLE job_runs (
    id BLOB NOT NULL PRIMARY KEY,
    job TEXT NOT NULL,
    -- who asked for it: the clock, a person, a command
    actor TEXT NOT NULL,
    started BIGINT NOT NULL,
    -- when it said last that it goes on
    seen BIGINT NOT NULL,
    ended BIGINT,
    done BIGINT NOT NULL CHECK (done >= 0),
    remaining BIGINT CHECK (remaining >= 0),
    error TEXT
);

CREATE INDEX job_runs_job ON job_runs (job, started);
CREATE INDEX job_runs_started ON job_runs (started);

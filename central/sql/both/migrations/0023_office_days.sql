-- What was done to the business days of offices: reasons of differences, signatures, reopenings. Derived: replaying the
-- journal fills it with the same rows.

-- `day` is a business day, `at` the moment at which the act was taken; `detail` holds what the step says, in CBOR.
CREATE TABLE office_day_step (
    office BLOB NOT NULL,
    day BIGINT NOT NULL,
    n BIGINT NOT NULL CHECK (n >= 0),
    what TEXT NOT NULL CHECK (what IN ('explained', 'signed', 'reopened')),
    at BIGINT NOT NULL,
    by_whom TEXT NOT NULL,
    detail BLOB NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (office, day, n)
);

CREATE INDEX office_day_step_day ON office_day_step (day);

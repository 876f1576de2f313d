-- Who decides in whose place while they are away. Derived: replaying the journal fills it with the same rows.

-- People are those of `staff`, which is no derived table. All times are instants. It holds from `starts` up to `until`, or up to
-- `ended`.
CREATE TABLE stand_in (
    person BLOB NOT NULL,
    id BLOB NOT NULL,
    stand_in BLOB NOT NULL,
    starts BIGINT NOT NULL,
    until BIGINT NOT NULL,
    named BIGINT NOT NULL,
    ended BIGINT,
    entry BLOB NOT NULL,
    PRIMARY KEY (person, id),
    CHECK (person <> stand_in),
    CHECK (starts < until)
);

CREATE INDEX stand_in_by ON stand_in (stand_in, until);

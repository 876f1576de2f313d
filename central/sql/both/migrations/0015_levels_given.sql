-- A level may be given by hand: `why` knows one reason more. A check cannot be changed in place, so the rows move over.
CREATE TABLE level_step_given (
    member BLOB NOT NULL,
    n BIGINT NOT NULL CHECK (n >= 1),
    day BIGINT NOT NULL,
    why TEXT NOT NULL CHECK (why IN ('rose', 'renewed', 'grace', 'fell', 'given')),
    from_rank BIGINT NOT NULL,
    rank BIGINT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT,
    in_grace BIGINT NOT NULL CHECK (in_grace IN (0, 1)),
    measured BIGINT NOT NULL,
    threshold BIGINT NOT NULL,
    scheme BIGINT NOT NULL CHECK (scheme >= 0),
    entry BLOB NOT NULL,
    PRIMARY KEY (member, n)
);

INSERT INTO level_step_given (member, n, day, why, from_rank, rank, since, until, in_grace, measured, threshold, scheme, entry)
SELECT member, n, day, why, from_rank, rank, since, until, in_grace, measured, threshold, scheme, entry FROM level_step;

DROP TABLE level_step;

ALTER TABLE level_step_given RENAME TO level_step;

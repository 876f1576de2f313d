-- Levels of members. Derived: replaying the journal fills it with the same rows.

-- The steps that members' levels took, in their order; the last one says where a member stands. Times are days, `measured`
-- and `threshold` are points or fen, as the level measures.
CREATE TABLE level_step (
    member BLOB NOT NULL,
    n BIGINT NOT NULL CHECK (n >= 1),
    day BIGINT NOT NULL,
    why TEXT NOT NULL CHECK (why IN ('rose', 'renewed', 'grace', 'fell')),
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

-- Levels of members and coupons. All of it is derived: replaying the journal fills it with the same rows.

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

-- Coupons, each a right to a sum off a price, used once at most. `used` is a business day, `used_at` an office.
CREATE TABLE coupon (
    id BLOB NOT NULL PRIMARY KEY,
    member BLOB NOT NULL,
    why TEXT NOT NULL CHECK (why IN ('welcome', 'birthday')),
    fen BIGINT NOT NULL CHECK (fen > 0),
    starts BIGINT NOT NULL,
    until BIGINT,
    scheme BIGINT NOT NULL CHECK (scheme >= 0),
    used BIGINT,
    used_at BLOB,
    entry BLOB NOT NULL,
    CHECK ((used IS NULL) = (used_at IS NULL))
);

CREATE INDEX coupon_member ON coupon (member, starts);

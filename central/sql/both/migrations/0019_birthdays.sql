-- Uses of the birthday's discount. Derived: replaying the journal fills it with the same rows.

-- `day` is a business day, `at` and `taken_back` are instants. The day of birth stands in the vault alone.
CREATE TABLE birthday_use (
    id BLOB NOT NULL PRIMARY KEY,
    member BLOB NOT NULL,
    office BLOB NOT NULL,
    day BIGINT NOT NULL,
    at BIGINT NOT NULL,
    slip TEXT NOT NULL,
    scheme BIGINT NOT NULL CHECK (scheme >= 0),
    used_by TEXT NOT NULL,
    taken_back BIGINT,
    taken_back_by TEXT,
    entry BLOB NOT NULL,
    CHECK ((taken_back IS NULL) = (taken_back_by IS NULL))
);

CREATE INDEX birthday_use_member ON birthday_use (member, day);
CREATE INDEX birthday_use_at ON birthday_use (at, id);

-- The inbox: whose a case is, and until when it is put off. Derived: replaying the journal fills it with the same rows.

-- `handed_at`, `until` and `put_off_at` are instants; `staff` is empty for a case that was taken back from whoever had it.
CREATE TABLE case_care (
    conflict BLOB NOT NULL PRIMARY KEY,
    staff BLOB,
    handed_by TEXT,
    handed_at BIGINT,
    until BIGINT,
    put_off_at BIGINT,
    entry BLOB NOT NULL,
    CHECK ((handed_by IS NULL) = (handed_at IS NULL)),
    CHECK (staff IS NULL OR handed_by IS NOT NULL),
    CHECK (until IS NULL OR put_off_at IS NOT NULL)
);

CREATE INDEX case_care_staff ON case_care (staff);

-- What a person may read of a member's cases begins with the member.
CREATE INDEX conflict_member_state ON conflict (member, state);

-- Companions whom members bring along, and messages about a holding of an activity. All of it is derived: replaying the
-- journal fills it with the same rows.

-- Announced at sign-up: each takes a place.
ALTER TABLE sign_up ADD COLUMN companions BIGINT NOT NULL DEFAULT 0;

-- Who came in with the member.
ALTER TABLE attendance ADD COLUMN companions BIGINT NOT NULL DEFAULT 0;

-- The holding that a message is about.
ALTER TABLE message ADD COLUMN occurrence BLOB;

CREATE INDEX occurrence_starts ON occurrence (state, starts);

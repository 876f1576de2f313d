-- The directory: what the centre lets this terminal know. Made by the centre, replaced whole or row by row.
-- A member's whole name stands apart from its row, sealed to this terminal.
-- Rows are kept as the CBOR that came, so that fields of a newer centre survive.
CREATE TABLE about (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    club BLOB NOT NULL CHECK (length(club) = 16),
    scope BLOB NOT NULL CHECK (length(scope) = 16),
    central_epoch BLOB NOT NULL,
    version_epoch INTEGER NOT NULL,
    version_n INTEGER NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;
CREATE TABLE cards (
    token BLOB PRIMARY KEY CHECK (length(token) = 18),
    card BLOB NOT NULL UNIQUE CHECK (length(card) = 16),
    member BLOB CHECK (length(member) = 16),
    row BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX card_of_member ON cards (member) WHERE member IS NOT NULL;
CREATE TABLE members (
    member BLOB PRIMARY KEY CHECK (length(member) = 16),
    row BLOB NOT NULL,
    name BLOB
) STRICT, WITHOUT ROWID;
CREATE TABLE offices (
    office BLOB PRIMARY KEY CHECK (length(office) = 16),
    row BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE occurrences (
    occurrence BLOB PRIMARY KEY CHECK (length(occurrence) = 16),
    row BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE schemes (
    version INTEGER PRIMARY KEY CHECK (version >= 0),
    row BLOB NOT NULL
) STRICT;

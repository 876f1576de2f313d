-- Tablets that may use the counter page over the network. Of their keys only hashes are here.
CREATE TABLE tablets (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    key BLOB NOT NULL UNIQUE CHECK (length(key) = 32),       -- hash of the key given last
    old_key BLOB CHECK (length(old_key) = 32),               -- hash of the key before
    old_until INTEGER,                                       -- it is taken until then; none before the new one came back
    paired_at INTEGER NOT NULL,
    renewed_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;

-- What wrong tries have led to, so that a restart forgives nothing.
CREATE TABLE locks (
    what TEXT PRIMARY KEY,                                   -- 'pairing', or 'operator-' and an id
    failed INTEGER NOT NULL CHECK (failed >= 0),             -- in a row
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

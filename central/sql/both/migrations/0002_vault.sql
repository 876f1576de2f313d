-- Personal data, sealed: the only tables of the schema that hold any.

-- A member's key, wrapped by the key file outside the database, and what it seals. Erasing the row erases the data.
CREATE TABLE vault_member (
    member BLOB NOT NULL PRIMARY KEY,
    wrapped_key BLOB NOT NULL,
    sealed BLOB NOT NULL
);

-- How members are found: keyed hashes of names, pieces of names, initials, numbers.
CREATE TABLE vault_index (
    kind TEXT NOT NULL,
    hmac BLOB NOT NULL,
    member BLOB NOT NULL,
    PRIMARY KEY (kind, hmac, member)
);

CREATE INDEX vault_index_member ON vault_index (member);

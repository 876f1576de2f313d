-- Personal data, and nothing but personal data: sealed per member, found through keyed hashes only. The keys stand in a
-- file outside the database. Erasing a member deletes their rows here; without `vault_key` what backups still hold of
-- them cannot be read.

-- The member's own key, wrapped by the key file's.
CREATE TABLE vault_key (
    member BLOB NOT NULL PRIMARY KEY CHECK (length(member) = 16),
    wrapped BLOB NOT NULL CHECK (length(wrapped) > 48)
);

-- Each column is sealed by itself, bound to its column and member; NULL says that nothing is known.
CREATE TABLE vault_member (
    member BLOB NOT NULL PRIMARY KEY REFERENCES vault_key (member) ON DELETE CASCADE,
    name BLOB NOT NULL CHECK (length(name) > 32),
    sex BLOB,
    mobile BLOB CHECK (length(mobile) > 32),
    home_phone BLOB CHECK (length(home_phone) > 32),
    document BLOB CHECK (length(document) > 32),
    birthday BLOB,
    address BLOB CHECK (length(address) > 32),
    email BLOB CHECK (length(email) > 32),
    remark BLOB CHECK (length(remark) > 32)
);

-- Texts beside the journal: the journal keeps a commitment, the words stand here.
CREATE TABLE vault_text (
    member BLOB NOT NULL REFERENCES vault_key (member) ON DELETE CASCADE,
    commitment BLOB NOT NULL CHECK (length(commitment) = 32),
    sealed BLOB NOT NULL CHECK (length(sealed) > 32),
    PRIMARY KEY (member, commitment)
) {without_rowid};

-- kind: 1 whole name, 2 piece of the name, 3 pinyin initials from the front, 4 mobile, 5 its last four digits,
-- 6 document number, 7 phone at home.
CREATE TABLE vault_index (
    kind BIGINT NOT NULL CHECK (kind BETWEEN 1 AND 7),
    hmac BLOB NOT NULL CHECK (length(hmac) = 16),
    member BLOB NOT NULL REFERENCES vault_key (member) ON DELETE CASCADE,
    PRIMARY KEY (kind, hmac, member)
) {without_rowid};

-- The same for applications that wait to be decided, each named by its fact.
CREATE TABLE vault_form (
    kind BIGINT NOT NULL CHECK (kind BETWEEN 1 AND 7),
    hmac BLOB NOT NULL CHECK (length(hmac) = 16),
    device BLOB NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (kind, hmac, device, epoch, seq)
) {without_rowid};

CREATE INDEX vault_form_fact ON vault_form (device, epoch, seq);

CREATE INDEX vault_index_member ON vault_index (member);

-- Members' tags: keyed hashes by which members are found. What a tag says is sealed with the member's data. Not derived.
CREATE TABLE vault_tag (
    member BLOB NOT NULL,
    hmac BLOB NOT NULL,
    PRIMARY KEY (member, hmac)
);

CREATE INDEX vault_tag_hmac ON vault_tag (hmac, member);

-- The club's own staff, who may not join where the club says so: keyed hashes of mobile and document number, no more.
CREATE TABLE vault_staff (
    kind BIGINT NOT NULL,
    hmac BLOB NOT NULL,
    PRIMARY KEY (kind, hmac)
);

-- What terminals need beside the core: codes that can be told apart, and numbered changes of the directory.

-- The first two bytes of a code name its row, so that a wrong guess costs a try of the code it aimed at and no other.
ALTER TABLE enrol_code ADD COLUMN selector BIGINT NOT NULL DEFAULT 0;

-- Hash of the key that used the code: the same key may ask again after a lost answer.
ALTER TABLE enrol_code ADD COLUMN used_key BLOB;

CREATE INDEX enrol_code_selector ON enrol_code (selector);

-- One row: the last number given to a change, and the last ones given to a row of the directory and to a block.
CREATE TABLE directory_head (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    n BIGINT NOT NULL,
    directory BIGINT NOT NULL,
    block BIGINT NOT NULL
);

INSERT INTO directory_head (id, n, directory, block) VALUES (1, 0, 0, 0);

-- The number under which each row of the directory changed last. Every row has a number of its own, so a delta can stop
-- anywhere and go on there. `kind` is a table's name, or `block` for a card that terminals must refuse, or no longer must.
CREATE TABLE directory_change (
    kind TEXT NOT NULL,
    id BLOB NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE UNIQUE INDEX directory_change_n ON directory_change (n);

-- When the act was taken that gave a number to a card to be refused, or to a member: what a terminal with that version
-- or a later one knew of.
CREATE TABLE version_time (
    epoch BIGINT NOT NULL,
    n BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (epoch, n)
);

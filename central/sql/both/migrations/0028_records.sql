-- What the pages of members and of joining read: what somebody opened lately, members of a level, and who is to be called.

CREATE INDEX member_edit_actor ON member_edit (actor, at);

CREATE INDEX member_level ON member (level_zh, number);

-- Not derived: applicants whom somebody means to call first, and on which day. Nothing personal stands here.
CREATE TABLE application_call (
    device BLOB NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    day BIGINT NOT NULL,
    staff BLOB NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (device, epoch, seq)
);

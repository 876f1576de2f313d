-- Awards of rankings. All of it is derived: replaying the journal fills it with the same rows.

-- One for each member and period; `starts` and `ends` are the first and last business day of the period, `place` counts from
-- 1, `reached` is the day since which the member had as many points. An award that was given says when, by whom and at
-- which office; `item` is what came off its shelf, and is empty for what is no item of stock.
CREATE TABLE ranking_award (
    id BLOB NOT NULL PRIMARY KEY,
    starts BIGINT NOT NULL,
    ends BIGINT NOT NULL CHECK (ends >= starts),
    place BIGINT NOT NULL CHECK (place >= 1),
    member BLOB NOT NULL,
    points BIGINT NOT NULL CHECK (points > 0),
    reached BIGINT NOT NULL,
    award TEXT NOT NULL,
    scheme BIGINT NOT NULL CHECK (scheme >= 0),
    given BIGINT,
    giver TEXT,
    office BLOB,
    item BLOB,
    entry BLOB NOT NULL,
    CHECK ((given IS NULL) = (giver IS NULL)),
    CHECK ((given IS NULL) = (office IS NULL)),
    CHECK (item IS NULL OR given IS NOT NULL)
);

CREATE INDEX ranking_award_period ON ranking_award (ends, place);
CREATE INDEX ranking_award_member ON ranking_award (member, ends);

-- A merge is a posting of one member and moves points of two: the other is found by the accounts.
CREATE INDEX posting_merged_from ON posting (debit) WHERE code = 'merge';
CREATE INDEX posting_merged_into ON posting (credit) WHERE code = 'merge';

-- Without statistics SQLite takes any two indexes for equally narrow: one that began with the unit was chosen to find what one
-- member has, among everybody's. It begins with the day, which reports ask for, so that it serves nothing else.
DROP INDEX posting_day;
CREATE INDEX posting_day ON posting (day, unit);

-- Whom a member took in is asked on each page of a member.
CREATE INDEX member_merged ON member (merged_into) WHERE merged_into IS NOT NULL;

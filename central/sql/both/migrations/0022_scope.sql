-- The group of offices that an office belongs to, as schemes name it; nothing for one of no group. Derived.
ALTER TABLE office ADD COLUMN office_group TEXT;

-- Whose details an entry changed: terminals hold the kind of a member.
CREATE INDEX member_detail_entry ON member_detail (entry);

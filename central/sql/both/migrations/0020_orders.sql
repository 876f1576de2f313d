-- Indexes of the orders in which lists are told page by page, and of whom it is known when they joined.

CREATE INDEX conflict_opened ON conflict (state, opened, id, kind);
CREATE INDEX conflict_changed ON conflict (state, changed, id, kind);

CREATE INDEX points_change_points ON points_change (state, points, id);

CREATE INDEX filed_application_filed ON filed_application (filed, id);

CREATE INDEX member_joined ON member (joined, id);

-- Whether it was said on which day the member joined; of an import that does not say it, `joined` is the day of the import.
ALTER TABLE member ADD COLUMN joined_said BIGINT NOT NULL DEFAULT 0 CHECK (joined_said IN (0, 1));

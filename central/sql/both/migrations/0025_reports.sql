-- Reports sum the ledger, and the steps of levels, by business day.

CREATE INDEX posting_day ON posting (unit, day);

CREATE INDEX level_step_day ON level_step (day);

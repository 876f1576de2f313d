-- Reports sum the ledger, and the steps of levels, by business day.

CREATE INDEX posting_day ON posting (day, unit);

CREATE INDEX level_step_day ON level_step (day);

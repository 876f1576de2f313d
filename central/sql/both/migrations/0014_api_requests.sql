-- Requests of the API that bore an Idempotency-Key: who asked what under which key is a hash, the answer is sealed. None of
-- it is derived from the journal, and none of it has a say in the books.

-- `run` names the try that goes on, or that ended it; an answer stands once it ended.
CREATE TABLE api_request (
    id BLOB NOT NULL PRIMARY KEY,
    print BLOB NOT NULL,
    run BLOB NOT NULL,
    began BIGINT NOT NULL,
    status BIGINT,
    media TEXT,
    answer BLOB
);

CREATE INDEX api_request_began ON api_request (began);

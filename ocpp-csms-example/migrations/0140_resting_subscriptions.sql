-- How often in a row somebody could not be told: who cannot be told rests longer and longer, and is switched off in the end.
ALTER TABLE event_subscriptions ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;

-- What is to be told is written together with facts of stations, which must not fail because a subscription was ended at that moment:
-- it refers to no row.
ALTER TABLE deliveries RENAME TO deliveries_before;

CREATE TABLE deliveries (
    id              TEXT   NOT NULL PRIMARY KEY,
    subscription    TEXT   NOT NULL,
    kind            TEXT   NOT NULL,
    body            TEXT   NOT NULL, -- JSON
    state           TEXT   NOT NULL, -- pending, delivered, given_up
    attempts        BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    last_answer     TEXT,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);

INSERT INTO deliveries (id, subscription, kind, body, state, attempts, next_attempt_at, last_answer, created_at, updated_at)
SELECT id, subscription, kind, body, state, attempts, next_attempt_at, last_answer, created_at, updated_at FROM deliveries_before;

DROP TABLE deliveries_before;

CREATE INDEX deliveries_that_wait ON deliveries (next_attempt_at) WHERE state = 'pending';
CREATE INDEX deliveries_of_subscription ON deliveries (subscription, id);

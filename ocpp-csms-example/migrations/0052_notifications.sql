-- Who is told of what happens, by webhook or mail.
CREATE TABLE event_subscriptions (
    id         TEXT   NOT NULL PRIMARY KEY,
    target     TEXT   NOT NULL, -- https://… or mailto:…
    kinds      TEXT   NOT NULL, -- separated by commas
    station    TEXT,
    secret     TEXT   NOT NULL,
    active     BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL
);

-- What each of them is to be told, and was.
CREATE TABLE deliveries (
    id              TEXT   NOT NULL PRIMARY KEY,
    subscription    TEXT   NOT NULL REFERENCES event_subscriptions (id),
    kind            TEXT   NOT NULL,
    body            TEXT   NOT NULL, -- JSON
    state           TEXT   NOT NULL, -- pending, delivered, given_up
    attempts        BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    last_answer     TEXT,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);

CREATE INDEX deliveries_that_wait ON deliveries (next_attempt_at) WHERE state = 'pending';
CREATE INDEX deliveries_of_subscription ON deliveries (subscription, id);

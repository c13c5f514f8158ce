-- What operators and programs had stations do, and what came of it.
CREATE TABLE operations (
    id         TEXT   NOT NULL PRIMARY KEY,
    station    TEXT   NOT NULL,
    command    BIGINT NOT NULL, -- the name by which the station's conversation knows it
    kind       TEXT   NOT NULL,
    request    TEXT   NOT NULL, -- JSON, without secrets
    actor      TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    progress   TEXT   NOT NULL, -- JSON, a list
    result     TEXT, -- JSON
    detail     TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    ended_at   BIGINT
);

CREATE UNIQUE INDEX operations_by_command ON operations (station, command);
CREATE INDEX operations_of_station ON operations (station, created_at);
CREATE INDEX operations_by_state ON operations (state, updated_at);

-- A password that a station was given, as long as it may come with the one that it had before.
CREATE TABLE new_passwords (
    station       TEXT   NOT NULL PRIMARY KEY,
    password_hash TEXT   NOT NULL,
    usable        BIGINT NOT NULL -- 1: the station may have it already
);

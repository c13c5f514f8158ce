-- The same statements run on SQLite and PostgreSQL: moments are milliseconds since 1970 (UTC), money is in minor units,
-- exact decimals are TEXT, truth values are 0 and 1.

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE stations (
    id                TEXT   NOT NULL PRIMARY KEY,
    registration      TEXT   NOT NULL CHECK (registration IN ('accepted', 'pending', 'rejected')),
    security_profile  BIGINT CHECK (security_profile BETWEEN 0 AND 3), -- NULL: nobody decided
    password_hash     TEXT,
    free_vend         BIGINT NOT NULL DEFAULT 0,
    provisioned       BIGINT NOT NULL, -- 1: an operator entered it, 0: it came by itself
    version           TEXT,
    vendor            TEXT,
    model             TEXT,
    serial_number     TEXT,
    firmware_version  TEXT,
    created_at        BIGINT NOT NULL,
    last_connected_at BIGINT,
    last_booted_at    BIGINT,
    session_state     TEXT
);

CREATE TABLE tokens (
    token_key   TEXT   NOT NULL PRIMARY KEY, -- lower case: identifiers are compared without regard to case
    token       TEXT   NOT NULL,
    type        TEXT   NOT NULL,
    status      TEXT   NOT NULL CHECK (status IN ('accepted', 'blocked', 'invalid', 'expired')),
    expires_at  BIGINT,
    token_group TEXT,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);

CREATE TABLE transactions (
    station        TEXT   NOT NULL REFERENCES stations (id),
    id             TEXT   NOT NULL,
    evse           BIGINT,
    connector      BIGINT,
    token          TEXT,
    started_at     BIGINT NOT NULL,
    stopped_at     BIGINT,
    stop_reason    TEXT,
    meter_start    TEXT, -- Wh
    meter_start_at BIGINT,
    meter_last     TEXT, -- Wh
    meter_last_at  BIGINT,
    power          TEXT, -- W
    price_per_kwh  TEXT   NOT NULL,
    currency       TEXT   NOT NULL,
    cost           BIGINT NOT NULL, -- minor units of the currency
    PRIMARY KEY (station, id)
);

CREATE INDEX transactions_of_station ON transactions (station, started_at);
CREATE INDEX transactions_by_stop ON transactions (stopped_at, started_at);

-- Every meter value as the station sent it, once.
CREATE TABLE meter_values (
    station        TEXT   NOT NULL,
    transaction_id TEXT   NOT NULL,
    taken_at       BIGINT NOT NULL,
    sampled        TEXT   NOT NULL, -- JSON
    PRIMARY KEY (station, transaction_id, taken_at, sampled)
);

CREATE TABLE messages (
    number    BIGINT NOT NULL PRIMARY KEY,
    station   TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    direction TEXT   NOT NULL CHECK (direction IN ('received', 'sent')),
    text      TEXT   NOT NULL
);

CREATE INDEX messages_by_station ON messages (station, number);

-- What is wrong with stations, until it is right again.
CREATE TABLE faults (
    id              TEXT   NOT NULL PRIMARY KEY,
    station         TEXT   NOT NULL,
    kind            TEXT   NOT NULL,
    fault_key       TEXT   NOT NULL, -- the same for what is the same fault, such as the EVSE and the connector
    code            TEXT   NOT NULL,
    severity        BIGINT NOT NULL, -- 0 (danger) to 9 (debug)
    evse            BIGINT,
    connector       BIGINT,
    detail          TEXT,
    state           TEXT   NOT NULL, -- open, acknowledged, closed
    occurrences     BIGINT NOT NULL,
    opened_at       BIGINT NOT NULL,
    last_seen_at    BIGINT NOT NULL,
    acknowledged_at BIGINT,
    acknowledged_by TEXT,
    closed_at       BIGINT,
    closed_by       TEXT
);

-- One that is not closed, of each.
CREATE UNIQUE INDEX faults_that_last ON faults (station, kind, fault_key) WHERE state <> 'closed';
CREATE INDEX faults_by_time ON faults (opened_at);
CREATE INDEX faults_of_station ON faults (station, opened_at);

CREATE TABLE fault_history (
    id     TEXT   NOT NULL PRIMARY KEY,
    fault  TEXT   NOT NULL REFERENCES faults (id),
    at     BIGINT NOT NULL,
    change TEXT   NOT NULL,
    actor  TEXT   NOT NULL,
    detail TEXT
);

CREATE INDEX fault_history_of_fault ON fault_history (fault, id);

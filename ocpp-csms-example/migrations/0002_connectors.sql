-- The last state of each connector: a station tells it only when it changes.
CREATE TABLE connectors (
    station   TEXT   NOT NULL REFERENCES stations (id),
    evse      BIGINT NOT NULL, -- 0: the whole station
    connector BIGINT NOT NULL,
    status    TEXT   NOT NULL,
    error     TEXT,
    since     BIGINT NOT NULL,
    PRIMARY KEY (station, evse, connector)
);

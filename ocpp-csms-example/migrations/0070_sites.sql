-- What several stations share. The definition is JSON; that a station is in one site only is for the database to see.
CREATE TABLE sites (
    id         TEXT   NOT NULL PRIMARY KEY,
    definition TEXT   NOT NULL, -- JSON
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE site_stations (
    station TEXT NOT NULL PRIMARY KEY REFERENCES stations (id),
    site    TEXT NOT NULL REFERENCES sites (id)
);

CREATE INDEX site_stations_by_site ON site_stations (site);

-- What stations hold, or may hold: written before something is sent, and again when it is answered.
CREATE TABLE site_controls (
    station    TEXT   NOT NULL PRIMARY KEY REFERENCES stations (id),
    state      TEXT   NOT NULL, -- JSON
    updated_at BIGINT NOT NULL
);

-- Prices of energy ahead, by zone.
CREATE TABLE energy_prices (
    zone      TEXT   NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at   BIGINT NOT NULL,
    price     TEXT   NOT NULL, -- for a kWh
    currency  TEXT   NOT NULL,
    PRIMARY KEY (zone, starts_at)
);

-- Signals of those who run the grid.
CREATE TABLE demand_signals (
    id         TEXT   NOT NULL PRIMARY KEY,
    definition TEXT   NOT NULL, -- JSON
    from_at    BIGINT NOT NULL,
    until_at   BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE INDEX demand_signals_by_end ON demand_signals (until_at);

-- What a session is to reach.
CREATE TABLE charging_targets (
    station        TEXT   NOT NULL REFERENCES stations (id),
    transaction_id TEXT   NOT NULL,
    departure_at   BIGINT,
    energy_wh      BIGINT,
    priority       BIGINT,
    updated_at     BIGINT NOT NULL,
    PRIMARY KEY (station, transaction_id)
);

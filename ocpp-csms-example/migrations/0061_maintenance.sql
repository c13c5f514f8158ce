-- Logs that stations were asked for, and what became of them. The file itself is in the folder for files, by the id.
CREATE TABLE log_requests (
    id           TEXT   NOT NULL PRIMARY KEY,
    station      TEXT   NOT NULL REFERENCES stations (id),
    kind         TEXT   NOT NULL CHECK (kind IN ('diagnostics', 'security', 'data_collector')),
    oldest       BIGINT,
    latest       BIGINT,
    requested_at BIGINT NOT NULL,
    requested_by TEXT   NOT NULL,
    expires_at   BIGINT NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('requested', 'uploading', 'uploaded', 'nothing', 'failed', 'superseded', 'expired')),
    changed_at   BIGINT NOT NULL,
    status       TEXT, -- the last word of the station
    request_id   BIGINT, -- by which the station names it
    detail       TEXT,
    file_name    TEXT,
    size         BIGINT,
    sha256       TEXT,
    received_at  BIGINT
);

CREATE INDEX log_requests_of_station ON log_requests (station, id);
CREATE INDEX log_requests_open ON log_requests (expires_at) WHERE state IN ('requested', 'uploading');

CREATE TABLE firmware_images (
    id          TEXT   NOT NULL PRIMARY KEY,
    vendor      TEXT   NOT NULL,
    model       TEXT   NOT NULL,
    version     TEXT   NOT NULL,
    file_name   TEXT   NOT NULL,
    size        BIGINT NOT NULL,
    sha256      TEXT   NOT NULL,
    certificate TEXT   NOT NULL, -- of the signer, PEM
    signature   TEXT   NOT NULL, -- Base64
    signed_by   TEXT   NOT NULL CHECK (signed_by IN ('csms', 'maker')),
    uploaded_at BIGINT NOT NULL,
    uploaded_by TEXT   NOT NULL
);

CREATE TABLE rollouts (
    id            TEXT   NOT NULL PRIMARY KEY,
    image         TEXT   NOT NULL REFERENCES firmware_images (id),
    state         TEXT   NOT NULL CHECK (state IN ('scheduled', 'running', 'paused', 'stopped', 'cancelled', 'finished')),
    wave          BIGINT NOT NULL, -- the one that is under way, from 0
    waves         BIGINT NOT NULL,
    wave_began_at BIGINT,
    starts_at     BIGINT NOT NULL,
    max_failures  BIGINT NOT NULL, -- percent
    patience      BIGINT NOT NULL, -- ms that a wave waits for stations that are offline
    signing       TEXT   NOT NULL CHECK (signing IN ('always', 'never', 'by_version')),
    created_at    BIGINT NOT NULL,
    created_by    TEXT   NOT NULL,
    changed_at    BIGINT NOT NULL,
    detail        TEXT
);

CREATE INDEX rollouts_by_state ON rollouts (state);

CREATE TABLE rollout_stations (
    rollout    TEXT   NOT NULL REFERENCES rollouts (id),
    station    TEXT   NOT NULL REFERENCES stations (id),
    wave       BIGINT NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('waiting', 'sent', 'downloading', 'downloaded', 'installing', 'installed', 'failed', 'skipped')),
    attempts   BIGINT NOT NULL,
    status     TEXT, -- the last word of the station
    request_id BIGINT,
    changed_at BIGINT NOT NULL,
    detail     TEXT,
    PRIMARY KEY (rollout, station)
);

CREATE INDEX rollout_stations_of_station ON rollout_stations (station, state);

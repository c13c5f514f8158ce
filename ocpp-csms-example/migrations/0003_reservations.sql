-- Reservations that stations have accepted. What is over by the clock is not changed: that is seen when it is read.
CREATE TABLE reservations (
    station        TEXT   NOT NULL REFERENCES stations (id),
    id             BIGINT NOT NULL, -- what the station calls it
    token          TEXT   NOT NULL,
    token_group    TEXT,
    evse           BIGINT,
    connector_type TEXT,
    state          TEXT   NOT NULL CHECK (state IN ('active', 'used', 'expired', 'cancelled', 'removed', 'no_transaction')),
    expires_at     BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    transaction_id TEXT,
    PRIMARY KEY (station, id)
);

-- What became of payments that were made at stations, each told once.
CREATE TABLE settlements (
    station        TEXT   NOT NULL REFERENCES stations (id),
    reference      TEXT   NOT NULL,
    status         TEXT   NOT NULL,
    transaction_id TEXT,
    amount         TEXT   NOT NULL, -- in whole units of the station's currency
    settled_at     BIGINT NOT NULL,
    receipt_url    TEXT,
    vat_number     TEXT,
    PRIMARY KEY (station, reference, status)
);

-- Every verdict of the standard may be given about a token.
ALTER TABLE tokens RENAME TO tokens_before;

CREATE TABLE tokens (
    token_key   TEXT   NOT NULL PRIMARY KEY, -- lower case: identifiers are compared without regard to case
    token       TEXT   NOT NULL,
    type        TEXT   NOT NULL,
    status      TEXT   NOT NULL,
    expires_at  BIGINT,
    token_group TEXT,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);

INSERT INTO tokens (token_key, token, type, status, expires_at, token_group, created_at, updated_at)
SELECT token_key, token, type, status, expires_at, token_group, created_at, updated_at FROM tokens_before;

DROP TABLE tokens_before;

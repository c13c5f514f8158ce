-- Tariffs: a change makes a new version, and no version is ever changed.
CREATE TABLE tariffs (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    version    BIGINT NOT NULL, -- the newest one
    is_default BIGINT NOT NULL DEFAULT 0,
    origin     TEXT   NOT NULL, -- 'configuration' as long as no operator has touched it, else 'operator'
    retired_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX default_tariff ON tariffs (is_default) WHERE is_default = 1;

CREATE TABLE tariff_versions (
    tariff     TEXT   NOT NULL REFERENCES tariffs (id),
    version    BIGINT NOT NULL, -- from 1
    content    TEXT   NOT NULL, -- JSON
    created_by TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tariff, version)
);

-- The most particular one counts: EVSE, station, site; then the default.
CREATE TABLE tariff_assignments (
    scope  TEXT   NOT NULL CHECK (scope IN ('site', 'station')),
    target TEXT   NOT NULL, -- the site or the station
    evse   BIGINT NOT NULL, -- 0: all of them
    tariff TEXT   NOT NULL REFERENCES tariffs (id),
    PRIMARY KEY (scope, target, evse)
);

-- Prices that were configured before there were tariffs.
INSERT INTO tariffs (id, name, version, is_default, origin, retired_at, created_at, updated_at)
SELECT 'price-' || price_per_kwh || '-' || currency, price_per_kwh || ' ' || currency || '/kWh', 1, 0, 'configuration',
       MAX(started_at), MIN(started_at), MAX(started_at)
FROM transactions GROUP BY price_per_kwh, currency;

INSERT INTO tariff_versions (tariff, version, content, created_by, created_at)
SELECT 'price-' || price_per_kwh || '-' || currency, 1,
       '{"currency":"' || currency || '","energy":"' || price_per_kwh || '"}', 'configuration', MIN(started_at)
FROM transactions GROUP BY price_per_kwh, currency;

ALTER TABLE transactions ADD COLUMN tariff TEXT;
ALTER TABLE transactions ADD COLUMN tariff_version BIGINT;
ALTER TABLE transactions ADD COLUMN course TEXT; -- JSON: what the price depends on beside the two registers
ALTER TABLE transactions ADD COLUMN payer TEXT; -- who pays: an account of the ledger, or 'free'; NULL: nobody's account
UPDATE transactions SET tariff = 'price-' || price_per_kwh || '-' || currency, tariff_version = 1;
ALTER TABLE transactions DROP COLUMN price_per_kwh;

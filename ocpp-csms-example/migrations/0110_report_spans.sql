-- Totals of 8 and of 64 days, so that a report on every station reads a few rows of each, however long its range is. `size` is how many
-- days; `span` counts such stretches since 1970-01-01: it has the days from span * size on.
CREATE TABLE report_spans (
    station  TEXT   NOT NULL,
    size     BIGINT NOT NULL, -- 8 or 64; single days are in report_days
    span     BIGINT NOT NULL,
    currency TEXT   NOT NULL,
    sessions BIGINT NOT NULL,
    energy   BIGINT NOT NULL,
    fees     BIGINT NOT NULL,
    occupied BIGINT NOT NULL,
    PRIMARY KEY (station, size, span, currency)
);

-- Days before 1970 have negative numbers, and division rounds towards zero.
INSERT INTO report_spans (station, size, span, currency, sessions, energy, fees, occupied)
SELECT station, 8, (day + 8000000) / 8 - 1000000, currency, CAST(SUM(sessions) AS BIGINT), CAST(SUM(energy) AS BIGINT),
       CAST(SUM(fees) AS BIGINT), CAST(SUM(occupied) AS BIGINT)
FROM report_days GROUP BY station, (day + 8000000) / 8 - 1000000, currency;

INSERT INTO report_spans (station, size, span, currency, sessions, energy, fees, occupied)
SELECT station, 64, (day + 64000000) / 64 - 1000000, currency, CAST(SUM(sessions) AS BIGINT), CAST(SUM(energy) AS BIGINT),
       CAST(SUM(fees) AS BIGINT), CAST(SUM(occupied) AS BIGINT)
FROM report_days GROUP BY station, (day + 64000000) / 64 - 1000000, currency;

CREATE INDEX report_spans_by_span ON report_spans (size, span, station, currency, sessions, energy, fees, occupied);

-- The time in each state, all states in one row: single days as well.
CREATE TABLE report_state_spans (
    station     TEXT   NOT NULL,
    size        BIGINT NOT NULL, -- 1, 8 or 64
    span        BIGINT NOT NULL,
    offline     BIGINT NOT NULL, -- ms, like the other states
    available   BIGINT NOT NULL,
    occupied    BIGINT NOT NULL,
    unavailable BIGINT NOT NULL,
    faulted     BIGINT NOT NULL,
    faults      BIGINT NOT NULL, -- how often it became faulted
    PRIMARY KEY (station, size, span)
);

INSERT INTO report_state_spans (station, size, span, offline, available, occupied, unavailable, faulted, faults)
SELECT station, 1, day,
       CAST(SUM(CASE WHEN state = 'offline' THEN duration ELSE 0 END) AS BIGINT),
       CAST(SUM(CASE WHEN state = 'available' THEN duration ELSE 0 END) AS BIGINT),
       CAST(SUM(CASE WHEN state = 'occupied' THEN duration ELSE 0 END) AS BIGINT),
       CAST(SUM(CASE WHEN state = 'unavailable' THEN duration ELSE 0 END) AS BIGINT),
       CAST(SUM(CASE WHEN state = 'faulted' THEN duration ELSE 0 END) AS BIGINT),
       CAST(SUM(CASE WHEN state = 'faulted' THEN entered ELSE 0 END) AS BIGINT)
FROM report_states GROUP BY station, day;

INSERT INTO report_state_spans (station, size, span, offline, available, occupied, unavailable, faulted, faults)
SELECT station, 8, (span + 8000000) / 8 - 1000000, CAST(SUM(offline) AS BIGINT), CAST(SUM(available) AS BIGINT),
       CAST(SUM(occupied) AS BIGINT), CAST(SUM(unavailable) AS BIGINT), CAST(SUM(faulted) AS BIGINT), CAST(SUM(faults) AS BIGINT)
FROM report_state_spans WHERE size = 1 GROUP BY station, (span + 8000000) / 8 - 1000000;

INSERT INTO report_state_spans (station, size, span, offline, available, occupied, unavailable, faulted, faults)
SELECT station, 64, (span + 64000000) / 64 - 1000000, CAST(SUM(offline) AS BIGINT), CAST(SUM(available) AS BIGINT),
       CAST(SUM(occupied) AS BIGINT), CAST(SUM(unavailable) AS BIGINT), CAST(SUM(faulted) AS BIGINT), CAST(SUM(faults) AS BIGINT)
FROM report_state_spans WHERE size = 1 GROUP BY station, (span + 64000000) / 64 - 1000000;

CREATE INDEX report_state_spans_by_span
ON report_state_spans (size, span, station, offline, available, occupied, unavailable, faulted, faults);

DROP TABLE report_states;

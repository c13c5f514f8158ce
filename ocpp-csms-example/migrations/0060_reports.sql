-- What reports add up, so that they need not read every session: written together with the end of a session.
-- Days and hours are those of the calendar of the station. `day` counts days since 1970-01-01 in that calendar; `hour` is the moment at
-- which the hour of that calendar begins; `slot` is the hour of the week, 0 (Monday, 0 o'clock) to 167. Energy is in mWh, time in ms.

CREATE TABLE report_days (
    station  TEXT   NOT NULL,
    day      BIGINT NOT NULL,
    currency TEXT   NOT NULL,
    sessions BIGINT NOT NULL, -- that ended on this day, like the energy and the fees
    energy   BIGINT NOT NULL,
    fees     BIGINT NOT NULL, -- minor units
    occupied BIGINT NOT NULL, -- of this day
    PRIMARY KEY (station, day, currency)
);

CREATE TABLE report_hours (
    station  TEXT   NOT NULL,
    hour     BIGINT NOT NULL,
    slot     BIGINT NOT NULL,
    energy   BIGINT NOT NULL, -- spread evenly over the time of each session
    occupied BIGINT NOT NULL,
    PRIMARY KEY (station, hour, slot)
);

-- The same of all stations, in a few parts, so that what ends at the same moment does not wait for one row.
CREATE TABLE report_fleet_days (
    part     BIGINT NOT NULL,
    day      BIGINT NOT NULL,
    currency TEXT   NOT NULL,
    sessions BIGINT NOT NULL,
    energy   BIGINT NOT NULL,
    fees     BIGINT NOT NULL,
    occupied BIGINT NOT NULL,
    PRIMARY KEY (day, currency, part)
);

CREATE TABLE report_fleet_hours (
    part     BIGINT NOT NULL,
    hour     BIGINT NOT NULL,
    slot     BIGINT NOT NULL,
    energy   BIGINT NOT NULL,
    occupied BIGINT NOT NULL,
    PRIMARY KEY (hour, slot, part)
);

-- The calendar of a station, where it is not that of the installation.
CREATE TABLE station_zones (
    station TEXT NOT NULL PRIMARY KEY REFERENCES stations (id),
    zone    TEXT NOT NULL -- IANA name
);

-- How long a station was in each state on a day, and how often it came into it.
CREATE TABLE report_states (
    station  TEXT   NOT NULL,
    day      BIGINT NOT NULL,
    state    TEXT   NOT NULL CHECK (state IN ('offline', 'available', 'occupied', 'unavailable', 'faulted')),
    duration BIGINT NOT NULL,
    entered  BIGINT NOT NULL,
    PRIMARY KEY (station, day, state)
);

-- The state that each station is in.
CREATE TABLE station_states (
    station TEXT   NOT NULL PRIMARY KEY,
    state   TEXT   NOT NULL CHECK (state IN ('offline', 'available', 'occupied', 'unavailable', 'faulted')),
    since   BIGINT NOT NULL
);

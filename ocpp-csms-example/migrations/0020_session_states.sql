-- The state of each station's conversation, which changes with every fact; apart from what an operator reads of a station.
CREATE TABLE session_states (
    station TEXT NOT NULL PRIMARY KEY REFERENCES stations (id),
    state   TEXT NOT NULL -- JSON
);

-- What is known of the station's own data: larger, and seldom different.
CREATE TABLE session_mirrors (
    station TEXT NOT NULL PRIMARY KEY REFERENCES stations (id),
    mirrors TEXT NOT NULL -- JSON
);

INSERT INTO session_states (station, state) SELECT id, session_state FROM stations WHERE session_state IS NOT NULL;

ALTER TABLE stations DROP COLUMN session_state;

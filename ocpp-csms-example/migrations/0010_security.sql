-- What the certificate of a station names, where that is not its identity: its serial number.
ALTER TABLE stations ADD COLUMN certificate_name TEXT;

-- What stations reported, and what was seen here; the newest ones.
CREATE TABLE security_events (
    number  INTEGER NOT NULL PRIMARY KEY,
    at      BIGINT  NOT NULL,
    source  TEXT    NOT NULL CHECK (source IN ('station', 'csms')),
    station TEXT,
    kind    TEXT    NOT NULL,
    remote  TEXT, -- address
    detail  TEXT
);

CREATE INDEX security_events_of_station ON security_events (station, number);

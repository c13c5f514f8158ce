-- Sessions of all stations, the latest first.
CREATE INDEX transactions_by_start ON transactions (started_at, station, id);
CREATE INDEX stations_by_registration ON stations (registration, id);

-- The few transactions that run, among all that a station ever had.
CREATE INDEX running_transactions ON transactions (station, started_at) WHERE stopped_at IS NULL;

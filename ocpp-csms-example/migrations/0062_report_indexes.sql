-- Reports on all stations read a range of days.
CREATE INDEX report_days_by_day ON report_days (day, station, currency, sessions, energy, fees, occupied);
CREATE INDEX report_states_by_day ON report_states (day, station, state, duration, entered);

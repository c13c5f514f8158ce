-- How long all stations together were in each state on a day, in a few parts.
CREATE TABLE report_fleet_states (
    part     BIGINT NOT NULL,
    day      BIGINT NOT NULL,
    state    TEXT   NOT NULL,
    duration BIGINT NOT NULL,
    entered  BIGINT NOT NULL,
    PRIMARY KEY (day, state, part)
);

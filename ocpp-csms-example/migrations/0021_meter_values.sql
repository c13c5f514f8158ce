-- A meter value is known again by a digest, not by its whole text: an index of those would be as large as the table.
ALTER TABLE meter_values RENAME TO meter_values_before;

CREATE TABLE meter_values (
    station        TEXT   NOT NULL,
    transaction_id TEXT   NOT NULL,
    taken_at       BIGINT NOT NULL,
    digest         BIGINT NOT NULL, -- of the text; of those of before, their number
    sampled        TEXT   NOT NULL, -- JSON
    PRIMARY KEY (station, transaction_id, taken_at, digest)
);

INSERT INTO meter_values (station, transaction_id, taken_at, digest, sampled)
SELECT station, transaction_id, taken_at,
       ROW_NUMBER() OVER (PARTITION BY station, transaction_id, taken_at ORDER BY sampled), sampled
FROM meter_values_before;

DROP TABLE meter_values_before;

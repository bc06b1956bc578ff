-- +goose Up
-- What was done to probes. Meaning: ../FORMAT.md.

CREATE TABLE calibration (
    gateway     TEXT   NOT NULL,
    doc         TEXT   NOT NULL,
    position    BIGINT NOT NULL,
    ordinal     BIGINT NOT NULL,
    sensor      TEXT   NOT NULL,
    quantity    TEXT   NOT NULL,
    time_ms     BIGINT NOT NULL,
    boot        TEXT   NOT NULL,
    uptime_ms   BIGINT NOT NULL,
    received_ms BIGINT NOT NULL,
    body        BYTEA  NOT NULL,
    PRIMARY KEY (gateway, doc)
);
CREATE INDEX calibration_sensor ON calibration (gateway, sensor, quantity, time_ms);
CREATE INDEX calibration_undated ON calibration (gateway, boot) WHERE time_ms = 0;

-- +goose Down
DROP TABLE calibration;

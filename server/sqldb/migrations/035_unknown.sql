-- +goose Up
-- Devices that sent something to an intake whose mapping does not name them. Layout and meaning: ../FORMAT.md.

CREATE TABLE intake_unknown (
    source   TEXT   NOT NULL,
    device   TEXT   NOT NULL,
    value    TEXT   NOT NULL,
    n        BIGINT NOT NULL,
    first_ms BIGINT NOT NULL,
    last_ms  BIGINT NOT NULL,
    sample   TEXT   NOT NULL,
    PRIMARY KEY (source, device, value)
);

-- +goose Down
DROP TABLE intake_unknown;

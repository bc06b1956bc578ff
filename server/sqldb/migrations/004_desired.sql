-- +goose Up
-- What is wanted of gateways, and what they answered. Meaning: ../FORMAT.md.

CREATE TABLE desired (
    gateway TEXT   NOT NULL PRIMARY KEY REFERENCES gateway (id),
    version BIGINT NOT NULL,
    changes TEXT   NOT NULL,
    note    BYTEA  NOT NULL,
    made_ms BIGINT NOT NULL,
    made_by TEXT   NOT NULL
);

CREATE TABLE settings_report (
    gateway  TEXT   NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    version  BIGINT NOT NULL,
    time_ms  BIGINT NOT NULL,
    body     TEXT   NOT NULL
);

-- +goose Up
-- Alarms, all that happened to each, and maintenance. Layout and meaning: ../FORMAT.md.

CREATE TABLE alarm_end (
    id BIGINT NOT NULL PRIMARY KEY,
    n  BIGINT NOT NULL
);
INSERT INTO alarm_end (id, n) VALUES (1, 0);

CREATE TABLE alarm (
    id       TEXT   NOT NULL PRIMARY KEY,
    place    TEXT   NOT NULL,
    topic    TEXT   NOT NULL,
    state    TEXT   NOT NULL,
    level    TEXT   NOT NULL,
    began_ms BIGINT NOT NULL,
    fired_ms BIGINT NOT NULL,
    ended_ms BIGINT NOT NULL,
    n        BIGINT NOT NULL,
    body     TEXT   NOT NULL
);
CREATE UNIQUE INDEX alarm_one ON alarm (place, topic) WHERE ended_ms = 0;
CREATE INDEX alarm_by_time ON alarm (began_ms);
CREATE INDEX alarm_of_place ON alarm (place, began_ms);

CREATE TABLE alarm_change (
    n          BIGINT NOT NULL PRIMARY KEY,
    alarm      TEXT   NOT NULL,
    what       TEXT   NOT NULL,
    from_state TEXT   NOT NULL,
    at_ms      BIGINT NOT NULL,
    actor      TEXT   NOT NULL,
    note       TEXT   NOT NULL,
    body       TEXT   NOT NULL
);
CREATE INDEX alarm_change_of ON alarm_change (alarm, n);

CREATE TABLE maintenance (
    id       TEXT   NOT NULL PRIMARY KEY,
    place    TEXT   NOT NULL,
    topic    TEXT   NOT NULL,
    from_ms  BIGINT NOT NULL,
    to_ms    BIGINT NOT NULL,
    actor    TEXT   NOT NULL,
    reason   TEXT   NOT NULL,
    ended_ms BIGINT NOT NULL,
    ended_by TEXT   NOT NULL
);
CREATE INDEX maintenance_by_time ON maintenance (to_ms);

-- +goose Down
DROP TABLE maintenance;
DROP TABLE alarm_change;
DROP TABLE alarm;
DROP TABLE alarm_end;

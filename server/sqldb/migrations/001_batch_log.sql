-- +goose Up
-- Layout and meaning: ../FORMAT.md.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- The batch log. position runs 1, 2, 3 ... without holes: it is taken from log_end inside the appending transaction.
CREATE TABLE log_end (
    id       BIGINT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
);
INSERT INTO log_end (id, position) VALUES (1, 0);

CREATE TABLE batch (
    position    BIGINT NOT NULL PRIMARY KEY,
    gateway     TEXT   NOT NULL,
    epoch       TEXT   NOT NULL,
    seq         BIGINT NOT NULL,
    received_ms BIGINT NOT NULL,
    hash        BYTEA  NOT NULL,
    body        BYTEA  NOT NULL
);
CREATE UNIQUE INDEX batch_once ON batch (gateway, epoch, seq);

CREATE TABLE chain_head (
    gateway     TEXT   NOT NULL,
    epoch       TEXT   NOT NULL,
    seq         BIGINT NOT NULL,
    hash        BYTEA  NOT NULL,
    received_ms BIGINT NOT NULL,
    PRIMARY KEY (gateway, epoch)
);

CREATE TABLE gateway (
    id          TEXT   NOT NULL PRIMARY KEY,
    vkey        TEXT   NOT NULL,
    secret_sha  BYTEA  NOT NULL,
    enrolled_ms BIGINT NOT NULL,
    retired_ms  BIGINT NOT NULL DEFAULT 0
);

-- What gateways said of themselves last. Advisory: written behind the log, not with it.
CREATE TABLE gateway_state (
    gateway  TEXT   NOT NULL PRIMARY KEY,
    state    TEXT   NOT NULL,
    state_ms BIGINT NOT NULL
);

-- Refused messages: newest samples in a fixed number of slots per gateway and reason, and counters that never shrink.
CREATE TABLE quarantine (
    gateway     TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    slot        BIGINT NOT NULL,
    received_ms BIGINT NOT NULL,
    detail      TEXT   NOT NULL,
    size        BIGINT NOT NULL,
    sample      BYTEA  NOT NULL,
    PRIMARY KEY (gateway, reason, slot)
);
CREATE INDEX quarantine_age ON quarantine (received_ms);

CREATE TABLE quarantine_count (
    gateway  TEXT   NOT NULL,
    reason   TEXT   NOT NULL,
    n        BIGINT NOT NULL,
    first_ms BIGINT NOT NULL,
    last_ms  BIGINT NOT NULL,
    PRIMARY KEY (gateway, reason)
);

-- How far each projection has come, and what the history projection waits for.
CREATE TABLE projection_cursor (
    projection TEXT   NOT NULL PRIMARY KEY,
    position   BIGINT NOT NULL
);

CREATE TABLE boot_anchor (
    gateway   TEXT   NOT NULL,
    boot      TEXT   NOT NULL,
    uptime_ms BIGINT NOT NULL,
    wall_ms   BIGINT NOT NULL,
    position  BIGINT NOT NULL,
    PRIMARY KEY (gateway, boot)
);

CREATE TABLE undated (
    position BIGINT NOT NULL PRIMARY KEY,
    gateway  TEXT   NOT NULL,
    boot     TEXT   NOT NULL,
    readings BIGINT NOT NULL
);
CREATE INDEX undated_boot ON undated (gateway, boot);

-- +goose Down
DROP TABLE undated;
DROP TABLE boot_anchor;
DROP TABLE projection_cursor;
DROP TABLE quarantine_count;
DROP TABLE quarantine;
DROP TABLE gateway_state;
DROP TABLE gateway;
DROP TABLE chain_head;
DROP TABLE batch;
DROP TABLE log_end;
DROP TABLE meta;

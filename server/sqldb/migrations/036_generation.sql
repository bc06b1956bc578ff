-- +goose Up
CREATE TABLE history_generation (
    generation BIGINT NOT NULL PRIMARY KEY,
    state      TEXT   NOT NULL,
    place      TEXT   NOT NULL,
    register   TEXT   NOT NULL,
    began_ms   BIGINT NOT NULL,
    changed_ms BIGINT NOT NULL
);
INSERT INTO history_generation (generation, state, place, register, began_ms, changed_ms) VALUES (0, 'live', '', '', 0, 0);

CREATE TABLE history_refused (
    generation BIGINT NOT NULL,
    gateway    TEXT   NOT NULL,
    sensor     TEXT   NOT NULL,
    quantity   TEXT   NOT NULL,
    t_ms       BIGINT NOT NULL,
    place      TEXT   NOT NULL,
    value      DOUBLE PRECISION,
    q          BIGINT NOT NULL,
    reason     TEXT   NOT NULL,
    refused_ms BIGINT NOT NULL,
    PRIMARY KEY (generation, gateway, sensor, quantity, t_ms)
);

CREATE TABLE undated_of (
    generation BIGINT NOT NULL,
    position   BIGINT NOT NULL,
    gateway    TEXT   NOT NULL,
    boot       TEXT   NOT NULL,
    readings   BIGINT NOT NULL,
    PRIMARY KEY (generation, position)
);
INSERT INTO undated_of (generation, position, gateway, boot, readings) SELECT 0, position, gateway, boot, readings FROM undated;
DROP TABLE undated;
ALTER TABLE undated_of RENAME TO undated;
CREATE INDEX undated_boot ON undated (generation, gateway, boot);

-- +goose Down
DELETE FROM undated WHERE generation <> (SELECT generation FROM history_generation WHERE state = 'live');
CREATE TABLE undated_one (
    position BIGINT NOT NULL PRIMARY KEY,
    gateway  TEXT   NOT NULL,
    boot     TEXT   NOT NULL,
    readings BIGINT NOT NULL
);
INSERT INTO undated_one (position, gateway, boot, readings) SELECT position, gateway, boot, readings FROM undated;
DROP TABLE undated;
ALTER TABLE undated_one RENAME TO undated;
CREATE INDEX undated_boot ON undated (gateway, boot);
DROP TABLE history_refused;
DROP TABLE history_generation;

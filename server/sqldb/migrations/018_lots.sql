-- +goose Up
-- Lots that the diary opened, what holds them, and products of the register. Layout and meaning: ../FORMAT.md.

ALTER TABLE lot ADD COLUMN cycle TEXT NOT NULL DEFAULT '';
ALTER TABLE lot ADD COLUMN barred TEXT NOT NULL DEFAULT '';
ALTER TABLE product ADD COLUMN record TEXT NOT NULL DEFAULT '';

CREATE TABLE lot_harvest (
    gtin    TEXT   NOT NULL,
    lot     TEXT   NOT NULL,
    ordinal BIGINT NOT NULL,
    event   TEXT   NOT NULL,
    PRIMARY KEY (gtin, lot, ordinal),
    FOREIGN KEY (gtin, lot) REFERENCES lot (gtin, code)
);
CREATE INDEX lot_of_harvest ON lot_harvest (event);
CREATE INDEX lot_of_place ON lot_place (place);

CREATE TABLE lot_hold (
    gtin        TEXT   NOT NULL,
    lot         TEXT   NOT NULL,
    held_ms     BIGINT NOT NULL,
    held_by     TEXT   NOT NULL,
    causes      TEXT   NOT NULL,
    released_ms BIGINT NOT NULL,
    released_by TEXT   NOT NULL,
    release     TEXT   NOT NULL,
    PRIMARY KEY (gtin, lot),
    FOREIGN KEY (gtin, lot) REFERENCES lot (gtin, code)
);

-- +goose Down
DROP TABLE lot_hold;
DROP INDEX lot_of_place;
DROP TABLE lot_harvest;
ALTER TABLE product DROP COLUMN record;
ALTER TABLE lot DROP COLUMN barred;
ALTER TABLE lot DROP COLUMN cycle;

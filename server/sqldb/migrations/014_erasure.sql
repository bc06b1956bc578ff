-- +goose Up
-- Who of the people has which account, and which calibrations no longer say who did them. Layout and meaning: ../FORMAT.md.

ALTER TABLE person ADD COLUMN account TEXT NOT NULL DEFAULT '';

CREATE TABLE calibration_erased (
    gateway TEXT NOT NULL,
    doc     TEXT NOT NULL,
    PRIMARY KEY (gateway, doc)
);

-- +goose Down
DROP TABLE calibration_erased;
ALTER TABLE person DROP COLUMN account;

-- +goose Up
-- How gateways come in, and how their keys change. Layout and meaning: ../FORMAT.md.

ALTER TABLE gateway ADD COLUMN mosquitto TEXT NOT NULL DEFAULT '';
ALTER TABLE gateway ADD COLUMN first_vkey TEXT NOT NULL DEFAULT '';
ALTER TABLE gateway ADD COLUMN rekeyed TEXT NOT NULL DEFAULT '';

CREATE TABLE claim (
    id         TEXT   NOT NULL PRIMARY KEY,
    key        BYTEA  NOT NULL,
    gateway    TEXT   NOT NULL,
    made_ms    BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    used_vkey  TEXT   NOT NULL DEFAULT ''
);

-- +goose Down
DROP TABLE claim;
ALTER TABLE gateway DROP COLUMN rekeyed;
ALTER TABLE gateway DROP COLUMN first_vkey;
ALTER TABLE gateway DROP COLUMN mosquitto;

-- +goose Up
-- What a place is made of, and who works it and where exactly it lies. Layout and meaning: ../FORMAT.md.

ALTER TABLE place ADD COLUMN soil_vi TEXT NOT NULL DEFAULT '';
ALTER TABLE place ADD COLUMN soil_en TEXT NOT NULL DEFAULT '';
ALTER TABLE place ADD COLUMN water_vi TEXT NOT NULL DEFAULT '';
ALTER TABLE place ADD COLUMN water_en TEXT NOT NULL DEFAULT '';

CREATE TABLE place_land (
    place     TEXT NOT NULL PRIMARY KEY REFERENCES place (code),
    household TEXT NOT NULL,
    outline   TEXT NOT NULL
);

-- +goose Down
DROP TABLE place_land;
ALTER TABLE place DROP COLUMN water_en;
ALTER TABLE place DROP COLUMN water_vi;
ALTER TABLE place DROP COLUMN soil_en;
ALTER TABLE place DROP COLUMN soil_vi;

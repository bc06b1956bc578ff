-- +goose Up
-- How much water the soil of a plot holds. Layout and meaning: ../FORMAT.md.

ALTER TABLE place ADD COLUMN texture TEXT NOT NULL DEFAULT '';
ALTER TABLE place ADD COLUMN field_capacity DOUBLE PRECISION NOT NULL DEFAULT 0;
ALTER TABLE place ADD COLUMN wilting_point DOUBLE PRECISION NOT NULL DEFAULT 0;
ALTER TABLE place ADD COLUMN capacity_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE place ADD COLUMN capacity_probe TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE place DROP COLUMN capacity_probe;
ALTER TABLE place DROP COLUMN capacity_ms;
ALTER TABLE place DROP COLUMN wilting_point;
ALTER TABLE place DROP COLUMN field_capacity;
ALTER TABLE place DROP COLUMN texture;

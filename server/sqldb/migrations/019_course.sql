-- +goose Up
-- How each quantity went over a lot's life, drawn beside its figures: JSON of trace.Course; '' where it was weighed before there was one.
ALTER TABLE evidence ADD COLUMN course TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE evidence DROP COLUMN course;

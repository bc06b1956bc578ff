-- +goose Up
-- Sources that cannot sign: the server seals what they send. Layout and meaning: ../FORMAT.md.

ALTER TABLE gateway ADD COLUMN kind TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE gateway DROP COLUMN kind;

-- +goose Up
-- What was foretold of the oxygen at dawn, and what came. Layout and meaning: ../FORMAT.md.

CREATE TABLE dawn_record (
    place     TEXT   NOT NULL,
    day       TEXT   NOT NULL,
    ended     TEXT   NOT NULL,
    looked_ms BIGINT NOT NULL,
    body      TEXT   NOT NULL,
    PRIMARY KEY (place, day)
);
CREATE INDEX dawn_by_day ON dawn_record (day);

-- +goose Down
DROP TABLE dawn_record;

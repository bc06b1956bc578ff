-- +goose Up
-- EPCIS documents that others wrote. Layout and meaning: ../FORMAT.md.

CREATE TABLE captured (
    sum     TEXT   NOT NULL PRIMARY KEY,
    made_ms BIGINT NOT NULL,
    made_by TEXT   NOT NULL,
    events  BIGINT NOT NULL,
    body    TEXT   NOT NULL
);

-- +goose Down
DROP TABLE captured;

-- +goose Up
CREATE TABLE process (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    roles      TEXT   NOT NULL,
    facts      TEXT   NOT NULL,
    beat       BIGINT NOT NULL,
    started_ms BIGINT NOT NULL,
    seen_ms    BIGINT NOT NULL,
    report     TEXT   NOT NULL
);

-- +goose Down
DROP TABLE process;

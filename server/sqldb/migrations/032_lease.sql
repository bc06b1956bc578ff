-- +goose Up
CREATE TABLE lease (
    name       TEXT   NOT NULL PRIMARY KEY,
    holder     TEXT   NOT NULL,
    term       BIGINT NOT NULL,
    beat       BIGINT NOT NULL,
    taken_ms   BIGINT NOT NULL,
    renewed_ms BIGINT NOT NULL
);

-- +goose Down
DROP TABLE lease;

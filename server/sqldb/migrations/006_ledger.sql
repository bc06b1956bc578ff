-- +goose Up
-- The transparency log. Layout and meaning: ../FORMAT.md and ../../ledger/FORMAT.md.

CREATE TABLE ledger_end (
    id   BIGINT NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL
);
INSERT INTO ledger_end (id, size) VALUES (1, 0);

CREATE TABLE ledger_leaf (
    n       BIGINT NOT NULL PRIMARY KEY,
    kind    TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    leaf    BYTEA  NOT NULL
);
CREATE INDEX ledger_subject ON ledger_leaf (subject, kind, n);

CREATE TABLE ledger_hash (
    idx  BIGINT NOT NULL PRIMARY KEY,
    hash BYTEA  NOT NULL
);

-- Of an erased body only the row's number is left.
CREATE TABLE ledger_body (
    n    BIGINT NOT NULL PRIMARY KEY,
    salt BYTEA,
    body BYTEA
);

CREATE TABLE ledger_checkpoint (
    size    BIGINT NOT NULL PRIMARY KEY,
    note    BYTEA  NOT NULL,
    time_ms BIGINT NOT NULL
);

-- +goose Down
DROP TABLE ledger_checkpoint;
DROP TABLE ledger_body;
DROP TABLE ledger_hash;
DROP TABLE ledger_leaf;
DROP TABLE ledger_end;

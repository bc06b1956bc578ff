-- +goose Up
-- What is in what: drawn from the diary and the goods events in the transactions that write them. Layout and meaning: ../FORMAT.md.

CREATE TABLE trace_edge (
    source   TEXT             NOT NULL,
    ordinal  BIGINT           NOT NULL,
    from_ref TEXT             NOT NULL,
    to_ref   TEXT             NOT NULL,
    at_ms    BIGINT           NOT NULL,
    kept_ms  BIGINT           NOT NULL,
    kg       DOUBLE PRECISION NOT NULL,
    items    BIGINT           NOT NULL,
    back     BIGINT           NOT NULL,
    document TEXT             NOT NULL,
    PRIMARY KEY (source, ordinal)
);
CREATE INDEX edge_from ON trace_edge (from_ref);
CREATE INDEX edge_to ON trace_edge (to_ref);

-- What a recall began with, and why. The ledger keeps the rest.
CREATE TABLE recall (
    id     TEXT NOT NULL PRIMARY KEY,
    ask    TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX ledger_recalls ON ledger_leaf (n) WHERE kind = 'recall';

-- +goose Down
DROP INDEX ledger_recalls;
DROP TABLE recall;
DROP TABLE trace_edge;

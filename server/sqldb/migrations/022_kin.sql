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

-- +goose Down
DROP TABLE trace_edge;

-- +goose Up
-- What was used last is found without reading how often it was used.

DROP INDEX edge_from;
CREATE INDEX edge_from ON trace_edge (from_ref, at_ms);

-- +goose Down
DROP INDEX edge_from;
CREATE INDEX edge_from ON trace_edge (from_ref);

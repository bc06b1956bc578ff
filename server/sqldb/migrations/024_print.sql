-- +goose Up
-- Prints of labels. Layout and meaning: ../FORMAT.md.

CREATE TABLE print_job (
    id      TEXT   NOT NULL PRIMARY KEY,
    made_ms BIGINT NOT NULL,
    actor   TEXT   NOT NULL,
    run     TEXT   NOT NULL,
    gtin    TEXT   NOT NULL,
    lot     TEXT   NOT NULL,
    labels  TEXT   NOT NULL,
    again   TEXT   NOT NULL,
    reason  TEXT   NOT NULL,
    paper   TEXT   NOT NULL
);
CREATE INDEX print_of_run ON print_job (run);
CREATE INDEX print_of_lot ON print_job (gtin, lot);
CREATE INDEX print_again ON print_job (again);

CREATE TABLE print_box (
    job     TEXT   NOT NULL REFERENCES print_job (id),
    ordinal BIGINT NOT NULL,
    sscc    TEXT   NOT NULL,
    PRIMARY KEY (job, ordinal)
);
CREATE INDEX print_of_box ON print_box (sscc);

-- +goose Down
DROP TABLE print_box;
DROP TABLE print_job;

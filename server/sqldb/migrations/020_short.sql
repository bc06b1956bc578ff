-- +goose Up
-- The short code of each lot. Layout and meaning: ../FORMAT.md.

CREATE TABLE lot_short (
    code TEXT NOT NULL,
    gtin TEXT NOT NULL,
    lot  TEXT NOT NULL,
    PRIMARY KEY (code, gtin, lot),
    FOREIGN KEY (gtin, lot) REFERENCES lot (gtin, code)
);

-- +goose Down
DROP TABLE lot_short;

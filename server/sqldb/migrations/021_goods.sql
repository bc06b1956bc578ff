-- +goose Up
-- Goods after the harvest: events, what they name, items with serials, boxes. Layout and meaning: ../FORMAT.md.

CREATE TABLE goods_event (
    id        TEXT   NOT NULL PRIMARY KEY,
    kind      TEXT   NOT NULL,
    at_ms     BIGINT NOT NULL,
    made_ms   BIGINT NOT NULL,
    erased_ms BIGINT NOT NULL,
    body      TEXT   NOT NULL
);
-- Events have one order.
CREATE UNIQUE INDEX goods_by_time ON goods_event (made_ms);
CREATE INDEX goods_by_day ON goods_event (at_ms);

CREATE TABLE goods_ref (
    ref   TEXT NOT NULL,
    event TEXT NOT NULL REFERENCES goods_event (id),
    PRIMARY KEY (ref, event)
);
CREATE INDEX goods_ref_of_event ON goods_ref (event);

CREATE TABLE item (
    serial     TEXT             NOT NULL PRIMARY KEY,
    gtin       TEXT             NOT NULL,
    lot        TEXT             NOT NULL,
    run        TEXT             NOT NULL REFERENCES goods_event (id),
    n          BIGINT           NOT NULL,
    net_g      DOUBLE PRECISION NOT NULL,
    best_ms    BIGINT           NOT NULL,
    state      TEXT             NOT NULL,
    box        TEXT             NOT NULL,
    changed_ms BIGINT           NOT NULL,
    FOREIGN KEY (gtin, lot) REFERENCES lot (gtin, code)
);
CREATE UNIQUE INDEX item_of_run ON item (run, n);
CREATE INDEX item_of_lot ON item (gtin, lot, state);
CREATE INDEX item_of_box ON item (box) WHERE box <> '';

CREATE TABLE box (
    sscc      TEXT   NOT NULL PRIMARY KEY,
    event     TEXT   NOT NULL REFERENCES goods_event (id),
    parent    TEXT   NOT NULL,
    state     TEXT   NOT NULL,
    filled_ms BIGINT NOT NULL
);
CREATE INDEX box_in_box ON box (parent) WHERE parent <> '';

-- What lies loose in a box.
CREATE TABLE box_lot (
    sscc TEXT             NOT NULL REFERENCES box (sscc),
    gtin TEXT             NOT NULL,
    lot  TEXT             NOT NULL,
    kg   DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (sscc, gtin, lot),
    FOREIGN KEY (gtin, lot) REFERENCES lot (gtin, code)
);
CREATE INDEX box_of_lot ON box_lot (gtin, lot);

-- +goose Down
DROP TABLE box_lot;
DROP TABLE box;
DROP TABLE item;
DROP TABLE goods_ref;
DROP TABLE goods_event;

-- +goose Up
-- The farm and its lots. Codes are as on boards and labels; times are milliseconds since 1970 UTC, 0 is open; texts people
-- read are kept in Vietnamese and English.

CREATE TABLE coop (
    id      BIGINT NOT NULL PRIMARY KEY,
    name_vi TEXT   NOT NULL,
    name_en TEXT   NOT NULL,
    demo    BIGINT NOT NULL
);

CREATE TABLE zone (
    id      TEXT   NOT NULL PRIMARY KEY,
    ordinal BIGINT NOT NULL,
    name_vi TEXT   NOT NULL,
    name_en TEXT   NOT NULL
);

-- zone '' is the co-op itself.
CREATE TABLE address (
    zone    TEXT   NOT NULL,
    from_ms BIGINT NOT NULL,
    to_ms   BIGINT NOT NULL,
    text_vi TEXT   NOT NULL,
    text_en TEXT   NOT NULL,
    PRIMARY KEY (zone, from_ms)
);

CREATE TABLE place (
    code     TEXT             NOT NULL PRIMARY KEY,
    ordinal  BIGINT           NOT NULL,
    name     TEXT             NOT NULL,
    kind     TEXT             NOT NULL,
    title_vi TEXT             NOT NULL,
    title_en TEXT             NOT NULL,
    zone     TEXT             NOT NULL,
    area_m2  DOUBLE PRECISION NOT NULL,
    holds_vi TEXT             NOT NULL,
    holds_en TEXT             NOT NULL,
    species  TEXT             NOT NULL,
    profile  TEXT             NOT NULL
);

-- measures: names of quantities, separated by spaces.
CREATE TABLE mount (
    gateway  TEXT   NOT NULL,
    sensor   TEXT   NOT NULL,
    from_ms  BIGINT NOT NULL,
    to_ms    BIGINT NOT NULL,
    ordinal  BIGINT NOT NULL,
    place    TEXT   NOT NULL REFERENCES place (code),
    measures TEXT   NOT NULL,
    PRIMARY KEY (gateway, sensor, from_ms)
);

CREATE TABLE limit_row (
    profile   TEXT             NOT NULL,
    quantity  TEXT             NOT NULL,
    level     TEXT             NOT NULL,
    above     BIGINT           NOT NULL,
    ordinal   BIGINT           NOT NULL,
    value     DOUBLE PRECISION NOT NULL,
    source_vi TEXT             NOT NULL,
    source_en TEXT             NOT NULL,
    PRIMARY KEY (profile, quantity, level, above)
);

CREATE TABLE product (
    gtin    TEXT NOT NULL PRIMARY KEY,
    name_vi TEXT NOT NULL,
    name_en TEXT NOT NULL
);

CREATE TABLE lot (
    gtin         TEXT             NOT NULL REFERENCES product (gtin),
    code         TEXT             NOT NULL,
    species_vi   TEXT             NOT NULL,
    species_en   TEXT             NOT NULL,
    scientific   TEXT             NOT NULL,
    stocked_ms   BIGINT           NOT NULL,
    harvested_ms BIGINT           NOT NULL,
    kg           DOUBLE PRECISION NOT NULL,
    state        TEXT             NOT NULL,
    demo         BIGINT           NOT NULL,
    weighed_ms   BIGINT           NOT NULL DEFAULT 0,
    PRIMARY KEY (gtin, code)
);

CREATE TABLE lot_place (
    gtin    TEXT   NOT NULL,
    lot     TEXT   NOT NULL,
    ordinal BIGINT NOT NULL,
    place   TEXT   NOT NULL REFERENCES place (code),
    PRIMARY KEY (gtin, lot, ordinal),
    FOREIGN KEY (gtin, lot) REFERENCES lot (gtin, code)
);

CREATE TABLE certificate (
    id       TEXT   NOT NULL PRIMARY KEY,
    scheme   TEXT   NOT NULL,
    standard TEXT   NOT NULL,
    number   TEXT   NOT NULL,
    issuer   TEXT   NOT NULL,
    gtin     TEXT   NOT NULL,
    place    TEXT   NOT NULL,
    from_ms  BIGINT NOT NULL,
    to_ms    BIGINT NOT NULL,
    demo     BIGINT NOT NULL
);

-- What was measured while a lot grew, computed from the history. body: JSON of trace.Evidence, so that what a label showed
-- is kept as it was shown, limits and their sources included.
CREATE TABLE evidence (
    gtin     TEXT   NOT NULL,
    lot      TEXT   NOT NULL,
    place    TEXT   NOT NULL,
    quantity TEXT   NOT NULL,
    ordinal  BIGINT NOT NULL,
    body     TEXT   NOT NULL,
    PRIMARY KEY (gtin, lot, place, quantity),
    FOREIGN KEY (gtin, lot) REFERENCES lot (gtin, code)
);

-- +goose Down
DROP TABLE evidence;
DROP TABLE certificate;
DROP TABLE lot_place;
DROP TABLE lot;
DROP TABLE product;
DROP TABLE limit_row;
DROP TABLE mount;
DROP TABLE place;
DROP TABLE address;
DROP TABLE zone;
DROP TABLE coop;

-- +goose Up
-- Scans of codes, what is unusual about them, what people decided, buyers' reports, and who may say that an item was sold. Layout and meaning: ../FORMAT.md.

CREATE TABLE scan_row (
    code     TEXT   NOT NULL,
    at_ms    BIGINT NOT NULL,
    client   BYTEA  NOT NULL,
    province TEXT   NOT NULL,
    said     BIGINT NOT NULL,
    state    TEXT   NOT NULL,
    PRIMARY KEY (code, at_ms, client)
);
CREATE INDEX scan_by_time ON scan_row (at_ms);

CREATE TABLE scan_code (
    code       TEXT   NOT NULL PRIMARY KEY,
    kind       TEXT   NOT NULL,
    gtin       TEXT   NOT NULL,
    lot        TEXT   NOT NULL,
    first_ms   BIGINT NOT NULL,
    province   TEXT   NOT NULL,
    last_ms    BIGINT NOT NULL,
    n          BIGINT NOT NULL,
    clients    BIGINT NOT NULL,
    day        TEXT   NOT NULL,
    day_rows   BIGINT NOT NULL,
    unusual    TEXT   NOT NULL,
    found_ms   BIGINT NOT NULL,
    cleared_ms BIGINT NOT NULL
);
CREATE INDEX scan_unusual ON scan_code (found_ms) WHERE unusual <> '';

CREATE TABLE scan_finding (
    code     TEXT   NOT NULL,
    rule     TEXT   NOT NULL,
    first_ms BIGINT NOT NULL,
    last_ms  BIGINT NOT NULL,
    over_ms  BIGINT NOT NULL,
    body     TEXT   NOT NULL,
    PRIMARY KEY (code, rule, first_ms)
);

CREATE TABLE scan_decision (
    id      TEXT   NOT NULL PRIMARY KEY,
    code    TEXT   NOT NULL,
    verdict TEXT   NOT NULL,
    rules   TEXT   NOT NULL,
    note    TEXT   NOT NULL,
    at_ms   BIGINT NOT NULL,
    actor   TEXT   NOT NULL
);
CREATE INDEX scan_decision_of ON scan_decision (code, at_ms);

CREATE TABLE scan_day (
    day     TEXT   NOT NULL PRIMARY KEY,
    scans   BIGINT NOT NULL,
    again   BIGINT NOT NULL,
    robots  BIGINT NOT NULL,
    own     BIGINT NOT NULL,
    unknown BIGINT NOT NULL,
    swept   BIGINT NOT NULL,
    lost    BIGINT NOT NULL
);

CREATE TABLE scan_sweep (
    client   BYTEA  NOT NULL,
    first_ms BIGINT NOT NULL,
    last_ms  BIGINT NOT NULL,
    province TEXT   NOT NULL,
    codes    BIGINT NOT NULL,
    unknown  BIGINT NOT NULL,
    PRIMARY KEY (client, first_ms)
);
CREATE INDEX sweep_by_time ON scan_sweep (last_ms);

CREATE TABLE scan_report (
    id       TEXT   NOT NULL PRIMARY KEY,
    code     TEXT   NOT NULL,
    what     TEXT   NOT NULL,
    place    TEXT   NOT NULL,
    note     TEXT   NOT NULL,
    contact  TEXT   NOT NULL,
    at_ms    BIGINT NOT NULL,
    answer   TEXT   NOT NULL,
    answered_ms BIGINT NOT NULL,
    answered_by TEXT   NOT NULL,
    done_ms  BIGINT NOT NULL,
    done_by  TEXT   NOT NULL
);
CREATE INDEX report_by_time ON scan_report (done_ms, at_ms);

CREATE TABLE sold_shop (
    id         TEXT   NOT NULL PRIMARY KEY,
    code_sha   BYTEA  NOT NULL UNIQUE,
    name       TEXT   NOT NULL,
    buyer      TEXT   NOT NULL,
    made_ms    BIGINT NOT NULL,
    made_by    TEXT   NOT NULL,
    revoked_ms BIGINT NOT NULL
);

CREATE TABLE item_sold (
    serial TEXT   NOT NULL PRIMARY KEY,
    at_ms  BIGINT NOT NULL,
    shop   TEXT   NOT NULL,
    actor  TEXT   NOT NULL
);
CREATE INDEX sold_by_shop ON item_sold (shop, at_ms);

-- +goose Down
DROP TABLE item_sold;
DROP TABLE sold_shop;
DROP TABLE scan_report;
DROP TABLE scan_sweep;
DROP TABLE scan_day;
DROP TABLE scan_decision;
DROP TABLE scan_finding;
DROP TABLE scan_code;
DROP TABLE scan_row;

-- +goose Up
-- What a limit is of, when an alarm of it begins and ends; and every set of limits that ever held. Layout and meaning: ../FORMAT.md.

ALTER TABLE limit_row RENAME TO limit_before;
CREATE TABLE limit_row (
    profile   TEXT             NOT NULL,
    quantity  TEXT             NOT NULL,
    level     TEXT             NOT NULL,
    above     BIGINT           NOT NULL,
    ordinal   BIGINT           NOT NULL,
    value     DOUBLE PRECISION NOT NULL,
    source_vi TEXT             NOT NULL,
    source_en TEXT             NOT NULL,
    what      TEXT             NOT NULL,
    clear     DOUBLE PRECISION,
    for_ms    BIGINT           NOT NULL,
    keep_ms   BIGINT           NOT NULL,
    n         BIGINT           NOT NULL,
    m         BIGINT           NOT NULL
);
INSERT INTO limit_row (profile, quantity, level, above, ordinal, value, source_vi, source_en, what, for_ms, keep_ms, n, m)
    SELECT profile, quantity, level, above, ordinal, value, source_vi, source_en, '', 0, 0, 0, 0 FROM limit_before;
DROP TABLE limit_before;
CREATE UNIQUE INDEX limit_one ON limit_row (profile, quantity, what, level, above);

CREATE TABLE limit_version (
    profile  TEXT   NOT NULL,
    version  BIGINT NOT NULL,
    since_ms BIGINT NOT NULL,
    body     TEXT   NOT NULL,
    PRIMARY KEY (profile, version)
);

-- +goose Down
DROP TABLE limit_version;
DELETE FROM limit_row WHERE what <> '';
ALTER TABLE limit_row DROP COLUMN m;

-- +goose Up
-- The register of the farm, the diary, and what phones sent with it. Layout and meaning: ../FORMAT.md.

CREATE TABLE farm_record (
    kind       TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    retired    BIGINT NOT NULL,
    revision   BIGINT NOT NULL,
    changed_ms BIGINT NOT NULL,
    erased_ms  BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE TABLE diary_event (
    id          TEXT   NOT NULL PRIMARY KEY,
    kind        TEXT   NOT NULL,
    place       TEXT   NOT NULL,
    cycle       TEXT   NOT NULL,
    at_ms       BIGINT NOT NULL,
    occurred_ms BIGINT NOT NULL,
    recorded_ms BIGINT NOT NULL,
    synced_ms   BIGINT NOT NULL,
    skew_ms     BIGINT NOT NULL,
    actor       TEXT   NOT NULL,
    device      TEXT   NOT NULL,
    corrects    TEXT   NOT NULL,
    root        TEXT   NOT NULL,
    erased_ms   BIGINT NOT NULL,
    body        TEXT   NOT NULL
);
CREATE INDEX diary_of_place ON diary_event (place, at_ms);
CREATE INDEX diary_of_cycle ON diary_event (cycle, at_ms);
CREATE INDEX diary_of_kind ON diary_event (kind, at_ms);
CREATE INDEX diary_of_root ON diary_event (root);
CREATE INDEX diary_of_actor ON diary_event (actor);
-- An event is corrected once: a chain never forks.
CREATE UNIQUE INDEX diary_corrects ON diary_event (corrects) WHERE corrects <> '';

CREATE TABLE event_media (
    event   TEXT   NOT NULL REFERENCES diary_event (id),
    ordinal BIGINT NOT NULL,
    sha256  TEXT   NOT NULL,
    type    TEXT   NOT NULL,
    PRIMARY KEY (event, ordinal)
);
CREATE INDEX event_of_media ON event_media (sha256);

CREATE TABLE media (
    sha256    TEXT   NOT NULL PRIMARY KEY,
    kept      TEXT   NOT NULL,
    type      TEXT   NOT NULL,
    size      BIGINT NOT NULL,
    made_ms   BIGINT NOT NULL,
    made_by   TEXT   NOT NULL,
    erased_ms BIGINT NOT NULL
);
CREATE INDEX media_of_maker ON media (made_by);

-- +goose Down
DROP TABLE media;
DROP TABLE event_media;
DROP TABLE diary_event;
DROP TABLE farm_record;

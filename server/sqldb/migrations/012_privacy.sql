-- +goose Up
-- People, what they agreed to, what they asked for. Layout and meaning: ../FORMAT.md.

CREATE TABLE person (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    phone      TEXT   NOT NULL,
    photo      TEXT   NOT NULL,
    household  TEXT   NOT NULL,
    created_ms BIGINT NOT NULL,
    erased_ms  BIGINT NOT NULL
);

CREATE TABLE person_place (
    person TEXT NOT NULL REFERENCES person (id),
    place  TEXT NOT NULL,
    PRIMARY KEY (person, place)
);
CREATE INDEX person_of_place ON person_place (place);

CREATE TABLE consent (
    person       TEXT   NOT NULL REFERENCES person (id),
    field        TEXT   NOT NULL,
    audience     TEXT   NOT NULL,
    text_version TEXT   NOT NULL,
    given_ms     BIGINT NOT NULL,
    withdrawn_ms BIGINT NOT NULL,
    PRIMARY KEY (person, field, audience, given_ms)
);

CREATE TABLE person_request (
    id          BIGINT NOT NULL PRIMARY KEY,
    person      TEXT   NOT NULL REFERENCES person (id),
    kind        TEXT   NOT NULL,
    received_ms BIGINT NOT NULL,
    acked_ms    BIGINT NOT NULL,
    done_ms     BIGINT NOT NULL
);

-- +goose Down
DROP TABLE person_request;
DROP TABLE consent;
DROP TABLE person_place;
DROP TABLE person;

-- +goose Up
-- Who may sign in. Layout and meaning: ../FORMAT.md.

CREATE TABLE account (
    id          TEXT   NOT NULL PRIMARY KEY,
    login       TEXT   NOT NULL UNIQUE,
    name        TEXT   NOT NULL,
    role        TEXT   NOT NULL,
    password    TEXT   NOT NULL,
    secret      BYTEA,
    step        BIGINT NOT NULL,
    disabled_ms BIGINT NOT NULL,
    made_ms     BIGINT NOT NULL
);

CREATE TABLE account_place (
    account TEXT NOT NULL REFERENCES account (id),
    place   TEXT NOT NULL,
    PRIMARY KEY (account, place)
);

CREATE TABLE account_recovery (
    account TEXT   NOT NULL REFERENCES account (id),
    hash    BYTEA  NOT NULL,
    used_ms BIGINT NOT NULL,
    PRIMARY KEY (account, hash)
);

CREATE TABLE account_session (
    hash    BYTEA  NOT NULL PRIMARY KEY,
    id      TEXT   NOT NULL,
    account TEXT   NOT NULL REFERENCES account (id),
    stage   TEXT   NOT NULL,
    card    TEXT   NOT NULL,
    device  TEXT   NOT NULL,
    made_ms BIGINT NOT NULL,
    seen_ms BIGINT NOT NULL
);
CREATE INDEX account_session_of ON account_session (account);

CREATE TABLE account_device (
    account TEXT   NOT NULL REFERENCES account (id),
    hash    BYTEA  NOT NULL,
    seen_ms BIGINT NOT NULL,
    PRIMARY KEY (account, hash)
);

CREATE TABLE account_link (
    hash       BYTEA  NOT NULL PRIMARY KEY,
    account    TEXT   NOT NULL,
    expires_ms BIGINT NOT NULL,
    used_ms    BIGINT NOT NULL
);

CREATE TABLE account_card (
    id         TEXT   NOT NULL PRIMARY KEY,
    account    TEXT   NOT NULL REFERENCES account (id),
    code       BYTEA  NOT NULL UNIQUE,
    device     BYTEA  UNIQUE,
    pin        TEXT   NOT NULL,
    pin_tries  BIGINT NOT NULL,
    made_ms    BIGINT NOT NULL,
    bound_ms   BIGINT NOT NULL,
    revoked_ms BIGINT NOT NULL
);
CREATE INDEX account_card_of ON account_card (account);

-- +goose Down
DROP TABLE account_card;
DROP TABLE account_link;
DROP TABLE account_device;
DROP TABLE account_session;
DROP TABLE account_recovery;
DROP TABLE account_place;
DROP TABLE account;

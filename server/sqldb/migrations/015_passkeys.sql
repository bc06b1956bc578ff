-- +goose Up
-- Passkeys, what they are asked, and how often somebody failed. Layout and meaning: ../FORMAT.md.

CREATE TABLE account_passkey (
    id         TEXT   NOT NULL PRIMARY KEY,
    account    TEXT   NOT NULL REFERENCES account (id),
    credential BYTEA  NOT NULL UNIQUE,
    public     BYTEA  NOT NULL,
    counter    BIGINT NOT NULL,
    flags      BIGINT NOT NULL,
    transports TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    made_ms    BIGINT NOT NULL,
    used_ms    BIGINT NOT NULL,
    cloned_ms  BIGINT NOT NULL
);
CREATE INDEX account_passkey_of ON account_passkey (account);

CREATE TABLE account_challenge (
    hash       BYTEA  NOT NULL PRIMARY KEY,
    purpose    TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    session    TEXT   NOT NULL,
    state      BYTEA  NOT NULL,
    expires_ms BIGINT NOT NULL
);
CREATE INDEX account_challenge_end ON account_challenge (expires_ms);

CREATE TABLE account_failure (
    key      BYTEA  NOT NULL PRIMARY KEY,
    n        BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    last_ms  BIGINT NOT NULL
);
CREATE INDEX account_failure_end ON account_failure (last_ms);

ALTER TABLE account_session ADD COLUMN proven_ms BIGINT NOT NULL DEFAULT 0;
CREATE INDEX account_device_secret ON account_device (hash);

-- +goose Down
DROP INDEX account_device_secret;
ALTER TABLE account_session DROP COLUMN proven_ms;
DROP TABLE account_failure;
DROP TABLE account_challenge;
DROP TABLE account_passkey;

-- +goose Up
-- Who is told of alarms, where each open alarm stands on the ladder, and what was sent to whom. Layout and meaning: ../FORMAT.md.

CREATE TABLE contact (
    id        TEXT   NOT NULL PRIMARY KEY,
    body      TEXT   NOT NULL,
    erased_ms BIGINT NOT NULL
);

CREATE TABLE notify_settings (
    id   BIGINT NOT NULL PRIMARY KEY,
    body TEXT   NOT NULL
);

CREATE TABLE notify_rung (
    alarm   TEXT   NOT NULL PRIMARY KEY,
    step    BIGINT NOT NULL,
    round   BIGINT NOT NULL,
    told_ms BIGINT NOT NULL,
    due_ms  BIGINT NOT NULL
);

CREATE TABLE notify_message (
    id         TEXT   NOT NULL PRIMARY KEY,
    kind       TEXT   NOT NULL,
    alarm      TEXT   NOT NULL,
    step       BIGINT NOT NULL,
    contact    TEXT   NOT NULL,
    channel    TEXT   NOT NULL,
    address    TEXT   NOT NULL,
    level      TEXT   NOT NULL,
    urgency    BIGINT NOT NULL,
    lang       TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    short      TEXT   NOT NULL,
    link       TEXT   NOT NULL,
    made_ms    BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    state      TEXT   NOT NULL,
    attempts   BIGINT NOT NULL,
    next_ms    BIGINT NOT NULL,
    tried_ms   BIGINT NOT NULL,
    done_ms    BIGINT NOT NULL,
    ref        TEXT   NOT NULL,
    err        TEXT   NOT NULL,
    stands_for TEXT   NOT NULL
);
CREATE INDEX message_due ON notify_message (channel, urgency, next_ms) WHERE state = 'waiting';
CREATE INDEX message_sending ON notify_message (tried_ms) WHERE state = 'sending';
CREATE INDEX message_of_contact ON notify_message (contact, id);
CREATE INDEX message_by_ref ON notify_message (channel, ref) WHERE ref <> '';
CREATE INDEX message_done ON notify_message (done_ms);

CREATE TABLE notify_item (
    message TEXT   NOT NULL,
    n       BIGINT NOT NULL,
    alarm   TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    step    BIGINT NOT NULL,
    PRIMARY KEY (message, n)
);
CREATE INDEX item_of_alarm ON notify_item (alarm);

CREATE TABLE notify_attempt (
    message  TEXT   NOT NULL,
    n        BIGINT NOT NULL,
    begun_ms BIGINT NOT NULL,
    ended_ms BIGINT NOT NULL,
    state    TEXT   NOT NULL,
    err      TEXT   NOT NULL,
    PRIMARY KEY (message, n)
);

-- +goose Down
DROP TABLE notify_attempt;
DROP TABLE notify_item;
DROP TABLE notify_message;
DROP TABLE notify_rung;
DROP TABLE notify_settings;
DROP TABLE contact;

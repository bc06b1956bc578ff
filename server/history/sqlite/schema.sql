-- History file, version 1. FORMAT.md says what the columns mean.
CREATE TABLE series (
	id       INTEGER PRIMARY KEY,
	place    TEXT NOT NULL,
	quantity TEXT NOT NULL,
	gateway  TEXT NOT NULL,
	sensor   TEXT NOT NULL,
	UNIQUE (place, quantity, gateway, sensor)
);

CREATE TABLE point (
	series BIGINT NOT NULL REFERENCES series (id),
	t_ms   BIGINT NOT NULL,
	value  DOUBLE PRECISION,
	q      BIGINT NOT NULL,
	PRIMARY KEY (series, t_ms)
) WITHOUT ROWID;

-- History file, version 3. FORMAT.md says what the columns mean.
CREATE TABLE series (
	id       INTEGER PRIMARY KEY,
	place    TEXT NOT NULL,
	quantity TEXT NOT NULL,
	gateway  TEXT NOT NULL,
	sensor   TEXT NOT NULL,
	judged   TEXT NOT NULL DEFAULT '-',
	UNIQUE (place, quantity, gateway, sensor)
);

CREATE TABLE point (
	series BIGINT NOT NULL REFERENCES series (id),
	t_ms   BIGINT NOT NULL,
	value  DOUBLE PRECISION,
	q      BIGINT NOT NULL,
	PRIMARY KEY (series, t_ms)
) WITHOUT ROWID;

CREATE TABLE rollup (
	series BIGINT NOT NULL REFERENCES series (id),
	span   BIGINT NOT NULL,
	start  BIGINT NOT NULL,
	stale  BIGINT NOT NULL,
	gone   BIGINT NOT NULL DEFAULT 0,
	n      BIGINT NOT NULL DEFAULT 0,
	low    DOUBLE PRECISION,
	sum    DOUBLE PRECISION,
	high   DOUBLE PRECISION,
	beyond BIGINT NOT NULL DEFAULT 0,
	faults BIGINT NOT NULL DEFAULT 0,
	worst  BIGINT NOT NULL DEFAULT 0,
	rest   TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (series, span, start)
) WITHOUT ROWID;

CREATE INDEX rollup_stale ON rollup (span, start) WHERE stale > 0;

package app

import (
	"context"
	"errors"
	"math"
	"os"
	"time"

	"aovuon/server/history"
	"aovuon/server/sqldb"
)

type historyCmd struct {
	Setup  historySetupCmd  `cmd:"" help:"Make in InfluxDB what the configuration names and is not there: database; 2.x: bucket and DBRP mapping."`
	Import historyImportCmd `cmd:"" help:"Take in the measurements of another system from a CSV file, unsigned; the server may run."`
	Export historyExportCmd `cmd:"" help:"Write readings of any series and period as CSV or Parquet; the server may run."`
	Digest historyDigestCmd `cmd:"" help:"Sum up every point in one line: two histories with the same sum hold the same points. Reads all of it."`
}

type historyDigestCmd struct {
	From time.Time `help:"Only points measured from then on, such as 2026-05-01T00:00:00+07:00."`
	To   time.Time `help:"Only points measured before. A history that is written to meanwhile has no sum worth comparing without."`
}

// Run prints the digest of the history in use.
func (cmd *historyDigestCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	to := cmd.To
	if to.IsZero() {
		to = time.UnixMilli(math.MaxInt64)
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) (err error) {
		store, err := c.openHistory(ctx, db)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, store.Close()) }()
		whole, ok := store.(history.Whole)
		if !ok {
			return errors.New("this history engine cannot list its series")
		}
		d, err := history.Digest(ctx, whole, cmd.From, to)
		if err != nil {
			return err
		}
		return e.printf("%s  %d points of %d series\n", d.Sum, d.Points, d.Series)
	})
}

type historySetupCmd struct{}

// Run sets InfluxDB up and says what it made. Doing it again changes nothing.
func (historySetupCmd) Run(e *env) (err error) {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	if c.History.Engine != "influx" {
		return e.printf("nothing to do: the history is in %s\n", c.DataDir)
	}
	var policy string
	if _, err := os.Stat(c.DataDir); err == nil { // before `server init` there is one generation only
		if err := e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
			g, err := db.LiveGeneration(ctx)
			policy = policyOf(g)
			return err
		}); err != nil {
			return err
		}
	}
	s, err := c.openInflux(policy)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	version, err := s.Version(e.ctx)
	if err != nil {
		return err
	}
	made, err := s.Setup(e.ctx)
	for _, m := range made {
		if perr := e.printf("made: %s\n", m); perr != nil {
			return errors.Join(err, perr)
		}
	}
	if err != nil {
		return err
	}
	return e.printf("InfluxDB %s at %s is ready\n", version, c.History.URL)
}

package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"

	"aovuon/server/sqldb"
)

type logCmd struct {
	Count logCountCmd `cmd:"" help:"Count the batches in the log, of each gateway and epoch; and its points in the history."`
}

type logCountCmd struct {
	JSON    bool `name:"json" help:"One JSON object instead of a table (FORMAT.md beside the program's source)."`
	History bool `help:"Count the points in the history too, which reads all of it."`
}

// LogCount is what server log count --json prints; FORMAT.md describes it.
type LogCount struct {
	Log     int64            `json:"log"`     // position of the newest batch
	Drawn   int64            `json:"drawn"`   // up to which position the history is drawn, at least
	Chains  []LogChain       `json:"chains"`  // by gateway and epoch
	Refused []LogRefused     `json:"refused"` // by gateway and reason; written up to a second late
	Points  map[string]int64 `json:"points"`  // in the history, by gateway; null when it was not asked for
}

// LogChain is what the log holds of one epoch of a gateway.
type LogChain struct {
	Gateway string `json:"gateway"`
	Epoch   string `json:"epoch"`
	Batches int64  `json:"batches"` // rows
	Seq     uint64 `json:"seq"`     // the highest number
}

// LogRefused is how many of a gateway's messages went to the quarantine for a reason, ever.
type LogRefused struct {
	Gateway string `json:"gateway"` // empty: nobody can be held to them
	Reason  string `json:"reason"`
	N       int64  `json:"n"`
}

// Run counts. The server may be running.
func (cmd *logCountCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		count, err := countLog(ctx, db)
		if err != nil {
			return err
		}
		if cmd.History { // after the log: the cursor above is then no later than what is counted
			if count.Points, err = c.countHistory(ctx, db); err != nil {
				return err
			}
		}
		if cmd.JSON {
			return json.NewEncoder(e.stdout).Encode(count)
		}
		return e.printCount(count)
	})
}

func countLog(ctx context.Context, db *sqldb.DB) (count LogCount, err error) {
	if count.Log, err = db.LogEnd(ctx); err != nil {
		return count, err
	}
	if count.Drawn, err = db.Drawn(ctx); err != nil {
		return count, err
	}
	chains, err := db.CountChains(ctx)
	if err != nil {
		return count, err
	}
	count.Chains = make([]LogChain, 0, len(chains))
	for _, c := range chains {
		count.Chains = append(count.Chains, LogChain{c.Gateway, c.Epoch, c.Batches, c.Seq})
	}
	refusals, err := db.Refusals(ctx)
	if err != nil {
		return count, err
	}
	count.Refused = make([]LogRefused, 0, len(refusals))
	for _, r := range refusals {
		count.Refused = append(count.Refused, LogRefused{r.Gateway, string(r.Reason), r.N})
	}
	return count, nil
}

func (c *Config) countHistory(ctx context.Context, db *sqldb.DB) (points map[string]int64, err error) {
	store, err := c.openHistory(ctx, db)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	counter, ok := store.(interface {
		CountPoints(ctx context.Context) (map[string]int64, error)
	})
	if !ok {
		return nil, errors.New("this history engine cannot count: ask its database by its own tools")
	}
	return counter.CountPoints(ctx)
}

func (e *env) printCount(count LogCount) error {
	w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
	if _, err := fmt.Fprintln(w, "GATEWAY\tEPOCH\tBATCHES\tSEQ"); err != nil {
		return err
	}
	for _, c := range count.Chains {
		if _, err := fmt.Fprintf(w, "%s\t%s\t%d\t%d\n", c.Gateway, c.Epoch, c.Batches, c.Seq); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	var points, refused int64
	for _, n := range count.Points {
		points += n
	}
	for _, r := range count.Refused {
		refused += r.N
	}
	if count.Points != nil {
		if err := e.printf("%d points in the history\n", points); err != nil {
			return err
		}
	}
	return e.printf("%d batches in the log, the history is drawn up to %d; %d messages refused\n", count.Log, count.Drawn, refused)
}

package app

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"aovuon/server/farm"
	"aovuon/server/privacy"
	"aovuon/server/sqldb"
)

type personRequestCmd struct {
	Person   string `arg:"" help:"Pseudonym."`
	Kind     string `arg:"" help:"access, correct, withdraw or erase."`
	Received string `help:"Day it came in, 2026-11-24; today if left out."`
}

// Run notes a request.
func (cmd *personRequestCmd) Run(e *env) error {
	kind, err := privacy.ParseRequestKind(cmd.Kind)
	if err != nil {
		return err
	}
	received := e.now()
	if cmd.Received != "" {
		day, err := time.ParseInLocation(time.DateOnly, cmd.Received, farm.Time())
		if err != nil || day.After(received) {
			return fmt.Errorf("--received %q: want a day that has been, such as 2026-11-24", cmd.Received)
		}
		received = day
	}
	return e.withConfiguredDB(func(ctx context.Context, db *sqldb.DB) error {
		q, err := db.AddRequest(ctx, privacy.Request{Person: cmd.Person, Kind: kind, Received: received}, e.by())
		if err != nil {
			return err
		}
		return e.printf("request %d: tell the person by %s that it came in, and have it done by %s\n", q.ID,
			q.AckDue(farm.Time()).Format(time.DateOnly), q.Due(farm.Time()).Format(time.DateOnly))
	})
}

type personAnswerCmd struct {
	Request int64 `arg:"" help:"Number of the request."`
	Done    bool  `help:"It is fulfilled; without it: the person was told that it came in."`
}

// Run notes an answer.
func (cmd *personAnswerCmd) Run(e *env) error {
	return e.withConfiguredDB(func(ctx context.Context, db *sqldb.DB) error {
		if err := db.AnswerRequest(ctx, cmd.Request, cmd.Done, e.by()); err != nil {
			return err
		}
		return e.printf("request %d noted\n", cmd.Request)
	})
}

type personRequestsCmd struct{}

// errLate says that the law's deadline for a request has passed.
var errLate = errors.New("a request is late")

// Run lists the requests.
func (personRequestsCmd) Run(e *env) error {
	return e.withConfiguredDB(func(ctx context.Context, db *sqldb.DB) error {
		all, err := db.Requests(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
		if _, err := fmt.Fprintln(w, "REQUEST\tPERSON\tKIND\tRECEIVED\tTELL BY\tTOLD\tDO BY\tDONE\t"); err != nil {
			return err
		}
		var failed error
		for _, q := range all {
			late := ""
			if q.Late(e.now(), farm.Time()) {
				late, failed = "LATE", errLate
			}
			if _, err := fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", q.ID, q.Person, q.Kind, day(q.Received), day(q.AckDue(farm.Time())),
				day(q.Acked), day(q.Due(farm.Time())), day(q.Done), late); err != nil {
				return err
			}
		}
		return errors.Join(w.Flush(), failed)
	})
}

// day writes a day at the co-op.
func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(farm.Time()).Format(time.DateOnly)
}

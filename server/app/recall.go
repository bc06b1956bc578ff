package app

import (
	"context"
	"crypto/rand"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/oklog/ulid/v2"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
	"aovuon/server/trace/kin"
	"aovuon/server/trace/recall"
)

type recallCmd struct {
	Find   recallFindCmd   `cmd:"" help:"Say what is downstream: lots, packs, boxes, and the buyers to call. Nothing is changed."`
	Start  recallStartCmd  `cmd:"" help:"Recall everything downstream, at once, or practise it with --drill."`
	End    recallEndCmd    `cmd:"" help:"End a recall or a drill."`
	List   recallListCmd   `cmd:"" help:"List recalls and drills."`
	Redraw recallRedrawCmd `cmd:"" help:"Draw what is in what anew from the diary and the goods events."`
}

// askFlags say what is wrong: one thing.
type askFlags struct {
	Lot         string `help:"A lot's code, or the path of its label." placeholder:"LOT"`
	Input       string `help:"What was bought in: id or name of an input, or whoever sold it." placeholder:"INPUT"`
	Maker       string `help:"With --input: the maker's lot; every one without." placeholder:"LOT"`
	Unsure      bool   `help:"With --maker: uses of the input of which nobody wrote the lot down, too."`
	Place       string `help:"A place's code or name; needs --from and --to." placeholder:"PLACE"`
	From        string `help:"First day: yyyy-mm-dd." placeholder:"DAY"`
	To          string `help:"Last day." placeholder:"DAY"`
	Certificate string `help:"Id of a certificate." placeholder:"ID"`
}

// ask reads the flags against what is on record.
func (a askFlags) ask(ctx context.Context, db *sqldb.DB) (recall.Ask, error) {
	given := 0
	for _, s := range []string{a.Lot, a.Input, a.Place, a.Certificate} {
		if s != "" {
			given++
		}
	}
	if given != 1 {
		return recall.Ask{}, errors.New("recall: name one thing: --lot, --input, --place or --certificate")
	}
	switch {
	case a.Lot != "":
		l, err := findLot(ctx, db, a.Lot)
		return recall.Ask{Lot: trace.Link{GTIN: l.GTIN, Lot: l.Lot}}, err
	case a.Input != "":
		id, err := inputID(ctx, db, a.Input)
		return recall.Ask{Input: id, Maker: a.Maker, Unsure: a.Unsure}, err
	case a.Certificate != "":
		return recall.Ask{Certificate: a.Certificate}, nil
	}
	return a.place(ctx, db)
}

// inputID is the id of the input that is called so, or what was written where there is none: whoever sold it.
func inputID(ctx context.Context, db *sqldb.DB, asked string) (string, error) {
	list, err := db.Records(ctx, farm.Input)
	for _, r := range list {
		if r.ID == asked || strings.EqualFold(r.Name(), asked) {
			return r.ID, nil
		}
	}
	return asked, err
}

func (a askFlags) place(ctx context.Context, db *sqldb.DB) (recall.Ask, error) {
	from, errFrom := time.ParseInLocation(time.DateOnly, a.From, farm.Time())
	to, errTo := time.ParseInLocation(time.DateOnly, a.To, farm.Time())
	if errFrom != nil || errTo != nil || to.Before(from) {
		return recall.Ask{}, fmt.Errorf("recall: --from %q --to %q: want days as 2026-11-30, the last not before the first", a.From, a.To)
	}
	f, err := db.Farm(ctx)
	if err != nil {
		return recall.Ask{}, err
	}
	for _, p := range f.Places {
		if p.Code == a.Place || p.Name == a.Place {
			return recall.Ask{Place: p.Code, From: from.UTC(), To: to.AddDate(0, 0, 1).Add(-time.Millisecond).UTC()}, nil
		}
	}
	return recall.Ask{}, fmt.Errorf("recall: place %.40q: there is none of this name or code", a.Place)
}

// recalls opens what recalls need.
func (e *env) recalls(do func(ctx context.Context, db *sqldb.DB, d *recall.Desk) error) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		return do(ctx, db, recall.New(db, db, flow.New(db, db, c.goods(), rand.Reader, e.now, e.log), e.now))
	})
}

// shell is who works at this machine's shell.
func shell() flow.Who { return flow.Who{Actor: ledger.Operator, Role: account.Admin} }

type recallFindCmd struct {
	askFlags
	CSV string `name:"csv" help:"Also write the list to call as CSV; - for standard output alone." placeholder:"FILE"`
}

// Run finds.
func (cmd *recallFindCmd) Run(e *env) error {
	return e.recalls(func(ctx context.Context, db *sqldb.DB, d *recall.Desk) error {
		ask, err := cmd.ask(ctx, db)
		if err != nil {
			return err
		}
		f, err := d.Find(ctx, ask)
		if err != nil {
			return err
		}
		calls, err := callsOf(ctx, db, f)
		if err != nil {
			return err
		}
		if cmd.CSV != "-" {
			if err := e.sayFound(f, calls); err != nil || cmd.CSV == "" {
				return err
			}
		}
		return e.output(cmd.CSV, fmt.Sprintf("%d deliveries", len(calls)), func(w io.Writer) error { return writeCalls(w, calls) })
	})
}

// call is one delivery of the list to call.
type call struct {
	kin.Delivery
	name, phone string
}

func callsOf(ctx context.Context, db *sqldb.DB, f recall.Found) (out []call, err error) {
	list, err := db.Records(ctx, farm.Buyer)
	if err != nil {
		return nil, err
	}
	for _, d := range f.Deliveries {
		c := call{Delivery: d, name: d.Buyer}
		for _, r := range list {
			if r.ID == d.Buyer {
				c.name, c.phone = r.Name(), r.Values.Text("phone")
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// what is what was delivered, and how much of what was asked about.
func (c call) what() (what string, items int, kg float64) {
	items, kg, what = c.Count, c.KG, c.What.String()
	for _, h := range c.Holds {
		items, kg = items+h.Count, kg+h.KG
		what += " " + h.Lot.ID
	}
	return what, items, kg
}

func writeCalls(out io.Writer, calls []call) error {
	w := csv.NewWriter(out)
	rows := [][]string{{"buyer", "phone", "what", "items", "kg", "when", "document", "back"}}
	for _, c := range calls {
		what, items, kg := c.what()
		rows = append(rows, []string{
			c.name, c.phone, what, strconv.Itoa(items), strconv.FormatFloat(kg, 'f', -1, 64), c.At.In(farm.Time()).Format(time.DateOnly), c.Document, strconv.FormatBool(c.Back),
		})
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("recall: csv: %w", err)
	}
	return nil
}

func (e *env) sayFound(f recall.Found, calls []call) error {
	if err := e.printf("%d lots, %d packs (%d have left), %d boxes, %d buyers; searched in %s\n", len(f.Lots), f.Items, f.Out, len(f.Boxes), len(f.Buyers()), f.Took.Round(time.Microsecond)); err != nil {
		return err
	}
	if f.Unsure > 0 {
		if err := e.printf("%d uses of the input have no lot number: --unsure takes them along\n", f.Unsure); err != nil {
			return err
		}
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	for _, l := range f.Lots {
		if _, err := fmt.Fprintf(t, "lot\t%s\t%s\n", l.Link.Path(), l.State); err != nil {
			return err
		}
	}
	for _, c := range calls {
		what, items, kg := c.what()
		back := ""
		if c.Back {
			back = "came back"
		}
		if _, err := fmt.Fprintf(t, "call\t%s\t%s\t%s\t%d packs\t%g kg\t%s\t%s\t%s\n", c.name, c.phone, what, items, kg, c.At.In(farm.Time()).Format(time.DateOnly), c.Document, back); err != nil {
			return err
		}
	}
	return t.Flush()
}

type recallStartCmd struct {
	askFlags
	Reason string `required:"" help:"Why."`
	Drill  bool   `help:"Practise: nothing is marked, the record says how long it took."`
}

// Run recalls.
func (cmd *recallStartCmd) Run(e *env) error {
	begun := e.now()
	return e.recalls(func(ctx context.Context, db *sqldb.DB, d *recall.Desk) error {
		ask, err := cmd.ask(ctx, db)
		if err != nil {
			return err
		}
		id, err := diary.NewID(e.now(), ulid.Monotonic(rand.Reader, 0))
		if err != nil {
			return err
		}
		rec, f, err := d.Start(ctx, shell(), recall.Order{ID: id, Ask: ask, Reason: strings.TrimSpace(cmd.Reason), Drill: cmd.Drill, Begun: begun})
		if err != nil {
			return err
		}
		what := "recall"
		if rec.Drill {
			what = "drill"
		}
		if err := e.printf("%s %s: %d lots marked in %s\n", what, rec.ID, len(rec.Lots), rec.Marked.Sub(rec.Begun).Round(time.Millisecond)); err != nil {
			return err
		}
		calls, err := callsOf(ctx, db, f)
		if err != nil {
			return err
		}
		return e.sayFound(f, calls)
	})
}

type recallEndCmd struct {
	ID     string `arg:"" help:"Id of the recall: server recall list."`
	Reason string `required:"" help:"What came of it."`
}

// Run ends a recall.
func (cmd *recallEndCmd) Run(e *env) error {
	return e.recalls(func(ctx context.Context, _ *sqldb.DB, d *recall.Desk) error {
		rec, err := d.End(ctx, shell(), cmd.ID, strings.TrimSpace(cmd.Reason))
		if err != nil {
			return err
		}
		return e.printf("%s ended; it took %s\n", rec.ID, rec.Ended.Sub(rec.Begun).Round(time.Second))
	})
}

type recallListCmd struct{}

// Run lists recalls.
func (recallListCmd) Run(e *env) error {
	return e.recalls(func(ctx context.Context, _ *sqldb.DB, d *recall.Desk) error {
		list, err := d.Recalls(ctx)
		if err != nil {
			return err
		}
		t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
		for _, r := range list {
			what, state := "recall", "open"
			if r.Drill {
				what = "drill"
			}
			switch {
			case !r.Open():
				state = "ended"
			case r.Marked.IsZero():
				state = "broke off"
			}
			if _, err := fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d lots\t%d packs\t%d buyers\n", r.ID, what, state, r.Begun.In(farm.Time()).Format(time.DateTime), len(r.Lots), r.Items, r.Buyers); err != nil {
				return err
			}
		}
		return t.Flush()
	})
}

type recallRedrawCmd struct{}

// Run draws all edges anew.
func (recallRedrawCmd) Run(e *env) error {
	return e.recalls(func(ctx context.Context, db *sqldb.DB, _ *recall.Desk) error {
		if err := db.RedrawEdges(ctx); err != nil {
			return err
		}
		return e.printf("drawn anew\n")
	})
}

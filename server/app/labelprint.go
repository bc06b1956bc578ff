package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/label"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
	"aovuon/server/trace/printjob"
	"aovuon/server/web"
)

// newPrinter makes the desk that keeps prints of labels.
func newPrinter(d deps) *printjob.Desk { return printjob.New(d.db, rand.Reader, d.now, d.log) }

// whatFlags say what is printed.
type whatFlags struct {
	What []string `arg:"" help:"Id of a packing (label runs), code of a lot with one packing that has labels left, or numbers of boxes."`
	N    int      `name:"n" short:"n" help:"How many labels; all that are left without."`
	Out  string   `required:"" help:"File to write; - for standard output." placeholder:"FILE"`
}

// order makes the order of what is to be printed.
func (f whatFlags) order(ctx context.Context, db *sqldb.DB, desk *printjob.Desk, paper printjob.Paper) (printjob.Order, error) {
	o := printjob.Order{Count: f.N, Paper: paper}
	if flow.ValidSSCC(f.What[0]) {
		o.Boxes = f.What
		return o, nil
	}
	if len(f.What) > 1 {
		return o, errors.New("label: one packing or lot at a time; several only of boxes")
	}
	if link, err := findLot(ctx, db, f.What[0]); err == nil {
		return o, f.onlyRun(ctx, desk, link, &o)
	} else if !diary.ValidID(f.What[0]) || !errors.Is(err, trace.ErrUnknown) {
		return o, err
	}
	o.Run = f.What[0]
	return o, nil
}

// onlyRun finds the one packing of a lot that has labels left.
func (f whatFlags) onlyRun(ctx context.Context, desk *printjob.Desk, link trace.Link, o *printjob.Order) error {
	of, err := desk.Lot(ctx, link)
	if err != nil {
		return err
	}
	if !printjob.Printable(of.Lot.State) {
		return fmt.Errorf("label: lot %s is %s: labels are printed of lots that are released for sale (the lot's page, or server goods)", link.Lot, of.Lot.State)
	}
	runs := slices.DeleteFunc(slices.Clone(of.Runs), func(r printjob.Run) bool { return len(r.Left) == 0 })
	switch len(runs) {
	case 0:
		return fmt.Errorf("label: lot %s has no packing with labels left: server label runs %s", link.Lot, link.Lot)
	case 1:
		o.Run = runs[0].ID
		return nil
	}
	var ids []string
	for _, r := range runs {
		ids = append(ids, r.ID)
	}
	return fmt.Errorf("label: lot %s was packed several times: give one of %s", link.Lot, strings.Join(ids, ", "))
}

// findLot reads a path, or looks for the one lot of a code.
func findLot(ctx context.Context, db *sqldb.DB, asked string) (trace.Link, error) {
	if strings.HasPrefix(asked, "/") {
		return trace.ParseLink(asked, "")
	}
	lots, err := db.Lots(ctx)
	if err != nil {
		return trace.Link{}, err
	}
	lots = slices.DeleteFunc(slices.Clone(lots), func(l trace.Lot) bool { return l.Code != asked })
	switch len(lots) {
	case 0:
		return trace.Link{}, fmt.Errorf("label: lot %.40q: %w", asked, trace.ErrUnknown)
	case 1:
		return lots[0].Link(), nil
	}
	var paths []string
	for _, l := range lots {
		paths = append(paths, l.Link().Path())
	}
	return trace.Link{}, fmt.Errorf("label: several products have a lot %.40q: give the path, one of %s", asked, strings.Join(paths, ", "))
}

// press opens what printing needs.
func (e *env) press(do func(ctx context.Context, c Config, db *sqldb.DB, desk *printjob.Desk) error) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		return do(ctx, c, db, printjob.New(db, rand.Reader, e.now, e.log))
	})
}

// print keeps a print and writes its file. What cannot be read on its paper is refused before it is kept.
func (e *env) print(ctx context.Context, c Config, db *sqldb.DB, desk *printjob.Desk, o printjob.Order, out string) error {
	p, err := label.NewPress()
	if err != nil {
		return err
	}
	draft, err := desk.Draft(ctx, o)
	if err != nil {
		return err
	}
	f, err := db.Farm(ctx)
	if err != nil {
		return err
	}
	contents := func(d printjob.Detail) ([]label.Content, error) {
		return web.JobLabels(c.PublicURL, f.Coop, d, func(l trace.Link) (trace.Dossier, error) { return db.Dossier(ctx, l) })
	}
	labels, err := contents(draft)
	if err == nil {
		err = web.Legible(p, o.Paper, labels)
	}
	if err != nil {
		return err
	}
	// A print that is kept uses up labels: where its file cannot go is known before.
	if err := writable(out); err != nil {
		return err
	}
	job, err := desk.Take(ctx, flow.Who{Actor: ledger.Operator, Role: account.Admin}, o)
	if err != nil {
		return err
	}
	kept, _, err := desk.Job(ctx, job.ID)
	if err == nil {
		labels, err = contents(kept)
	}
	if err != nil {
		return err
	}
	return e.output(out, fmt.Sprintf("print %s, %d labels", job.ID, len(labels)), func(w io.Writer) error {
		data, err := web.JobFile(ctx, job, labels, e.progress(out))
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	})
}

// progress tells how far a long print is, on the other output.
func (e *env) progress(out string) func(done, all int) {
	return func(done, all int) {
		if out == "-" || all <= 200 || done == 0 || done%100 != 0 && done != all {
			return
		}
		if _, err := fmt.Fprintf(e.stderr, "%d of %d labels\n", done, all); err != nil {
			e.log.Debug("nobody is told", slog.Any("err", err))
		}
	}
}

type labelSheetCmd struct {
	whatFlags
	sheetFlags
	Start int `default:"1" help:"First label still on the sheet, from 1."`
}

// Run prints on sheets.
func (cmd *labelSheetCmd) Run(e *env) error {
	return e.press(func(ctx context.Context, c Config, db *sqldb.DB, desk *printjob.Desk) error {
		o, err := cmd.order(ctx, db, desk, cmd.paper(cmd.Start))
		if err != nil {
			return err
		}
		return e.print(ctx, c, db, desk, o, cmd.Out)
	})
}

type labelThermalCmd struct {
	whatFlags
	rollFlags
}

// Run prints on a roll.
func (cmd *labelThermalCmd) Run(e *env) error {
	return e.press(func(ctx context.Context, c Config, db *sqldb.DB, desk *printjob.Desk) error {
		o, err := cmd.order(ctx, db, desk, cmd.paper())
		if err != nil {
			return err
		}
		return e.print(ctx, c, db, desk, o, cmd.Out)
	})
}

type labelAgainCmd struct {
	Job    string `arg:"" help:"Id of the print (label jobs)."`
	Labels string `required:"" help:"Which of its labels: 3,7-9."`
	Why    string `required:"" enum:"jammed,damaged,unreadable,lost,changed" help:"jammed, damaged, unreadable, lost or changed."`
	Start  int    `default:"1" help:"First label still on the sheet, from 1."`
	Out    string `required:"" help:"File to write; - for standard output." placeholder:"FILE"`
}

// Run prints labels again, on the paper that they were printed on.
func (cmd *labelAgainCmd) Run(e *env) error {
	return e.press(func(ctx context.Context, c Config, db *sqldb.DB, desk *printjob.Desk) error {
		old, ok, err := desk.Job(ctx, cmd.Job)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("label: print %.40q: there is none of this id: server label jobs", cmd.Job)
		}
		o := printjob.Order{Again: cmd.Job, Why: printjob.Reason(cmd.Why), Paper: old.Paper}
		if !o.Paper.Roll() {
			o.Paper.Start = cmd.Start
		}
		if o.Slots, err = printjob.ParseRanges(cmd.Labels, len(old.Marks)); err != nil {
			return err
		}
		return e.print(ctx, c, db, desk, o, cmd.Out)
	})
}

type labelRunsCmd struct {
	Lot string `arg:"" help:"The lot's code, or the path of its label: /01/09521234010036/10/AO1-261123."`
}

// Run lists what was packed of a lot.
func (cmd *labelRunsCmd) Run(e *env) error {
	return e.press(func(ctx context.Context, _ Config, db *sqldb.DB, desk *printjob.Desk) error {
		link, err := findLot(ctx, db, cmd.Lot)
		if err != nil {
			return err
		}
		of, err := desk.Lot(ctx, link)
		if err != nil {
			return err
		}
		if err := e.printf("lot %s is %s\n", of.Lot.Code, of.Lot.State); err != nil {
			return err
		}
		for _, r := range of.Runs {
			kind := "with the lot's code"
			if r.Serials {
				kind = "with serials"
			}
			if err := e.printf("%s: %s, %d packs of %g g %s: %d printed, %d void or gone, %d left\n", r.ID, r.At.In(farm.Time()).Format("2006-01-02"), r.Packed, r.NetG, kind, r.Done, r.Void+r.Gone, len(r.Left)); err != nil {
				return err
			}
		}
		for _, b := range of.Boxes {
			done := "no label yet"
			if b.Job != "" {
				done = "printed by " + b.Job
			}
			if err := e.printf("box %s: %s\n", b.SSCC, done); err != nil {
				return err
			}
		}
		return nil
	})
}

type labelJobsCmd struct {
	N int `short:"n" default:"20" help:"How many."`
}

// Run lists prints.
func (cmd *labelJobsCmd) Run(e *env) error {
	return e.press(func(ctx context.Context, _ Config, _ *sqldb.DB, desk *printjob.Desk) error {
		jobs, err := desk.Jobs(ctx, "", cmd.N)
		if err != nil {
			return err
		}
		for _, j := range jobs {
			of, again := "boxes", ""
			if j.Run != "" {
				of = j.Lot.Lot
			}
			if j.Again != "" {
				again = fmt.Sprintf(", again of %s: %s", j.Again, j.Reason)
			}
			if err := e.printf("%s: %s, %d labels of %s by %s%s\n", j.ID, j.Made.In(farm.Time()).Format("2006-01-02 15:04"), len(j.Marks), of, j.Actor, again); err != nil {
				return err
			}
		}
		return nil
	})
}

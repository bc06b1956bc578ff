package app

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/ingest"
	"aovuon/server/intake/table"
	"aovuon/server/sqldb"
)

// problemsShown is how many wrong rows are listed.
const problemsShown = 50

type historyImportCmd struct {
	File    string `arg:"" help:"CSV file of another system; - for standard input."`
	Map     string `required:"" help:"What stands in which column: server/intake/README.md." type:"path"`
	DryRun  bool   `help:"Only say what it would do."`
	SkipBad bool   `help:"Import the rows that are right although others are wrong."`
}

// Run imports a file. What is in the log already is left out, so that the same file, or a longer one, may be imported again.
func (cmd *historyImportCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(cmd.Map)
	if err != nil {
		return fmt.Errorf("map: %w", err)
	}
	m, err := table.ParseMap(cmd.Map, raw)
	if err != nil {
		return err
	}
	text, err := readAll(cmd.File, table.MaxFile)
	if err != nil {
		return err
	}
	got, err := m.Read(text, e.now())
	if err != nil {
		return fmt.Errorf("%s: %w", cmd.File, err)
	}
	if err := cmd.problems(e, got); err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		if err := mayImport(ctx, db, m.Source); err != nil {
			return fmt.Errorf("%s: source: %w", cmd.Map, err)
		}
		fresh, known, err := unknownYet(ctx, db, m.Source, got.Readings)
		if err != nil {
			return err
		}
		if err := cmd.summary(ctx, e, db, m.Source, got, fresh, known); err != nil {
			return err
		}
		switch {
		case len(got.Problems) > 0 && !cmd.SkipBad:
			return fmt.Errorf("%s: %d rows are wrong, nothing is imported: mend them, or say --skip-bad", cmd.File, len(got.Problems))
		case cmd.DryRun:
			return e.printf("dry run: nothing is imported\n")
		case len(fresh) == 0:
			return e.printf("nothing new\n")
		}
		return cmd.seal(ctx, e, c, db, m.Source, fresh)
	})
}

// mayImport refuses the name of what sends by itself, before anything is read for it: a dry run says so, too.
func mayImport(ctx context.Context, db *sqldb.DB, source string) error {
	if !wire.ValidGatewayID(source) {
		return fmt.Errorf("name %q: use small letters, digits and hyphens, 2 to 39 characters", source)
	}
	list, err := db.Standings(ctx)
	if err != nil {
		return err
	}
	for _, s := range list {
		switch {
		case s.Gateway != source || s.Kind == ingest.Imported:
		case s.Kind == ingest.Device:
			return fmt.Errorf("%s is a gateway that signs: choose another name", source)
		default:
			return fmt.Errorf("%s is a source of kind %s: choose another name", source, s.Kind)
		}
	}
	return nil
}

func (cmd *historyImportCmd) problems(e *env, got table.Result) error {
	for i, p := range got.Problems {
		if i == problemsShown {
			return e.printf("… and %d more\n", len(got.Problems)-i)
		}
		if err := e.printf("%s:%s\n", cmd.File, p); err != nil {
			return err
		}
	}
	return nil
}

// seal puts the readings into the log, under a source that cannot sign.
func (cmd *historyImportCmd) seal(ctx context.Context, e *env, c Config, db *sqldb.DB, source string, fresh []measure.Reading) error {
	if _, err := e.addSource(c, source, "", ingest.Imported); err != nil {
		return err
	}
	signer, vkey, err := loadKeyOf(c.sourceKeyFile(source), "it has just been made")
	if err != nil {
		return err
	}
	slices.SortStableFunc(fresh, func(a, b measure.Reading) int { return a.Time.Wall.Compare(b.Time.Wall) })
	if err := ingest.NewSealer(db, signer, vkey, e.now, nil).Seal(ctx, fresh); err != nil {
		return fmt.Errorf("%w; import the file again: what is in the log already is left out", err)
	}
	return e.printf("%d readings imported as %s, unsigned\n", len(fresh), source)
}

// instantOf is one reading's place in its source.
type instantOf struct {
	sensor   string
	quantity measure.Quantity
	ms       int64
}

// unknownYet leaves out what the log has of the source already, whatever value it has there.
func unknownYet(ctx context.Context, db *sqldb.DB, source string, all []measure.Reading) (fresh []measure.Reading, known int, err error) {
	have := map[instantOf]bool{}
	for epoch, seq := "", uint64(0); ; {
		list, err := db.BatchesOf(ctx, source, epoch, seq)
		if err != nil {
			return nil, 0, err
		}
		if len(list) == 0 {
			break
		}
		for _, r := range list {
			for _, x := range r.Batch.Readings {
				have[instantOf{x.Sensor, x.Quantity, x.Time.Wall.UnixMilli()}] = true
			}
			epoch, seq = r.Batch.Epoch, r.Batch.Seq
		}
	}
	for _, r := range all {
		if have[instantOf{r.Sensor, r.Quantity, r.Time.Wall.UnixMilli()}] {
			known++
		} else {
			fresh = append(fresh, r)
		}
	}
	return fresh, known, nil
}

// summary says what a file has.
func (cmd *historyImportCmd) summary(ctx context.Context, e *env, db *sqldb.DB, source string, got table.Result, fresh []measure.Reading, known int) error {
	f, err := db.Farm(ctx)
	if err != nil {
		return err
	}
	type line struct {
		n, out      int
		first, last time.Time
		low, high   float64
	}
	lines := map[[2]string]*line{}
	for _, r := range fresh {
		k := [2]string{r.Sensor, string(r.Quantity)}
		l := lines[k]
		if l == nil {
			l = &line{first: r.Time.Wall, last: r.Time.Wall, low: r.Value, high: r.Value}
			lines[k] = l
		}
		l.n, l.low, l.high = l.n+1, min(l.low, r.Value), max(l.high, r.Value)
		if r.Time.Wall.Before(l.first) {
			l.first = r.Time.Wall
		}
		if r.Time.Wall.After(l.last) {
			l.last = r.Time.Wall
		}
		if r.Quality == measure.OutOfRange {
			l.out++
		}
	}
	w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
	if len(lines) > 0 {
		if _, err := fmt.Fprintln(w, "SENSOR\tQUANTITY\tNEW\tFROM\tTO\tLOWEST\tHIGHEST\tOUT OF RANGE\tPLACE"); err != nil {
			return err
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(lines), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		l, where := lines[k], "none: mount "+source+" / "+k[0]
		if code, ok := f.PlaceOf(source, k[0], l.first); ok {
			p, _ := f.Place(code)
			where = p.Name
		}
		info, _ := measure.Quantity(k[1]).Info()
		number := func(v float64) string {
			return strings.TrimSpace(measure.FormatNumber(v, info.Decimals, ".", "") + " " + info.Unit)
		}
		if _, err := fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t%d\t%s\n", k[0], k[1], l.n, stamp(l.first), stamp(l.last), number(l.low), number(l.high), l.out, where); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(got.Columns) > 0 {
		if err := e.printf("columns that the map does not name: %s\n", strings.Join(got.Columns, ", ")); err != nil {
			return err
		}
	}
	return e.printf("%d rows: %d readings, %d new, %d in the log already, %d twice in the file; %d cells without a value, %d rows ignored, %d problems\n",
		got.Rows, len(got.Readings)+got.Twice, len(fresh), known, got.Twice, got.Absent, got.Ignored, len(got.Problems))
}

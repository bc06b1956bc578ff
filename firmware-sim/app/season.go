package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/goccy/go-yaml"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/ledger"
	"aovuon/firmware-sim/world"
	gateway "aovuon/gateway/app"
	"aovuon/gateway/measure"
)

type seasonCommand struct {
	Config        string        `short:"c" default:"field.yaml" help:"Field file." type:"path"`
	GatewayConfig string        `required:"" help:"The gateway's configuration file; its key must exist (gateway init)." type:"path"`
	Days          int           `default:"30" help:"How many days."`
	Until         string        `default:"now" help:"End of the season: now, or a time such as 2026-03-01T00:00:00Z."`
	Every         time.Duration `default:"1m" help:"How often every probe is read."`
	Ledger        string        `help:"Write what every chip answered to this file." type:"path"`
}

func (c seasonCommand) Run(e *env) (err error) {
	until := time.Now()
	if c.Until != "now" {
		if until, err = time.Parse(time.RFC3339, c.Until); err != nil {
			return fmt.Errorf("season: --until %q: want now, or a time such as 2026-03-01T00:00:00Z", c.Until)
		}
	}
	s := season{
		field: c.Config, gateway: c.GatewayConfig, days: c.Days, until: until, every: c.Every, log: e.log,
		ledger: c.Ledger, progress: func(line string) { e.say("%s", line) },
	}
	return s.make(e.ctx)
}

// season makes history as a gateway makes it that was offline all the time: with its own code, key and spool.
//
// It works in a folder of its own and moves the finished spool into the gateway's data folder with one rename. So an
// interrupted season leaves nothing, and a second try begins anew; a gateway that has a spool is left alone.
type season struct {
	field, gateway string // files
	days           int
	until          time.Time
	every          time.Duration
	ledger         string
	log            *slog.Logger
	progress       func(line string)
}

// seasonSeal is how much of a season goes into a batch: large batches, as after a long time without a link.
const seasonSeal = "1h"

func (s season) make(ctx context.Context) (err error) {
	if s.days < 1 || s.days > 3660 || s.every < time.Second {
		return fmt.Errorf("season: %d days every %s: want 1 to 3660 days, at least a second apart", s.days, s.every)
	}
	g, err := readGateway(s.gateway)
	if err != nil {
		return fmt.Errorf("season: %w", err)
	}
	if _, err := os.Stat(filepath.Join(g.data, spoolFile)); err == nil {
		s.progress(fmt.Sprintf("%s has readings already: nothing to do", g.id))
		return nil
	}
	work := filepath.Join(g.data, ".season")
	if err := errors.Join(os.RemoveAll(work), os.MkdirAll(work, 0o700)); err != nil {
		return fmt.Errorf("season: %w", err)
	}
	temporary, err := g.moved(work)
	if err != nil {
		return fmt.Errorf("season: %w", err)
	}
	defer func() { err = errors.Join(err, os.Remove(temporary), os.RemoveAll(work)) }()
	if err := s.play(ctx, g.id, temporary); err != nil {
		return fmt.Errorf("season: %s (read from %s, a copy with its own data_dir): %w", s.gateway, temporary, err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("season: %s: interrupted; nothing was kept: %w", g.id, err)
	}
	return install(work, g.data)
}

// play runs the gateway's code in virtual time.
func (s season) play(ctx context.Context, id, config string) (err error) {
	cfg, err := field.Load(s.field)
	if err != nil {
		return err
	}
	until := s.until.UTC().Truncate(s.every)
	begin := time.Now()
	first := until.AddDate(0, 0, -s.days)
	// The gateway is switched on some hours before, so that its probes are calibrated when the season begins.
	clock := &virtualClock{now: first.Add(-caring), boot: fmt.Sprintf("%016x", text(id)), until: until}
	clock.begin = clock.now
	clock.quarter = func(n int) {
		s.progress(fmt.Sprintf("%s: %3d %% of %d days", id, 25*n, s.days))
	}
	s.begin(&cfg, id, clock.begin)
	count := &counter{Recorder: chip.Silent{}}
	if s.ledger != "" {
		l, err := ledger.Open(s.ledger, ledgerEnds(s.log))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, l.Close()) }()
		count.Recorder = l
	}
	told := world.Told{}
	if cfg.Journal != "" { // what was done before, and is told by the live field: this season adds nothing to it
		if told, err = world.ReadJournal(cfg.Journal); err != nil {
			return err
		}
	}
	f, err := field.New(cfg, field.Options{Now: clock.wall, Sleep: clock.Sleep, Ledger: count, Actions: told.Actions})
	if err != nil {
		return err
	}
	care := &caretaker{clock: clock, board: f.Board(), book: count, first: first, until: until}
	if err := gateway.Offline(ctx, gateway.OfflineOptions{
		Visit:      care.visit,
		ConfigPath: config, Clock: clock, Buses: f, Every: s.every, Until: until.Add(-s.every), Log: s.log,
	}); err != nil {
		return err
	}
	took := time.Since(begin)
	n := count.n.Load()
	s.progress(fmt.Sprintf("%s: %d days, %d readings in %.1f s (%.0f a second)", id, s.days, n, took.Seconds(), float64(n)/took.Seconds()))
	return nil
}

// begin settles when the season's world begins, when the field's file does not say: as in the live field that goes on from here,
// or, for a season that is longer, early enough.
func (s season) begin(cfg *field.Config, id string, switchedOn time.Time) {
	if cfg.Begin != "" {
		return
	}
	begin := world.DefaultBegin(s.until)
	if begin.After(switchedOn) {
		begin = world.DefaultBegin(switchedOn)
		s.progress(fmt.Sprintf("%s: the world of this season begins on %s: write `begin: %s` into %s, so that the live field goes on from it",
			id, begin.Format(time.DateOnly), begin.Format(time.DateOnly), s.field))
	}
	cfg.Begin = begin.Format(time.DateOnly)
}

// counter counts answers that are values.
type counter struct {
	chip.Recorder
	n     atomic.Int64
	quiet atomic.Bool // what chips answer now is no reading
}

func (c *counter) Record(e ledger.Entry) {
	if c.quiet.Load() {
		return
	}
	if e.Fault == "" {
		c.n.Add(1)
	}
	c.Recorder.Record(e)
}

// text is a number made of a name (FNV-1a).
func text(s string) uint64 {
	x := uint64(14695981039346656037)
	for i := range len(s) {
		x = (x ^ uint64(s[i])) * 1099511628211
	}
	return x
}

// virtualClock is a sense.Clock whose time passes only by sleeping.
type virtualClock struct {
	mu         sync.Mutex
	begin, now time.Time
	until      time.Time
	boot       string
	told       int
	quarter    func(n int) // called when n quarters are over
}

func (c *virtualClock) wall() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Now implements sense.Clock. The gateway of a season was booted when the season began, and knew the time.
func (c *virtualClock) Now() measure.Instant {
	now := c.wall()
	return measure.Instant{Wall: now, Uptime: now.Sub(c.begin), Clock: measure.Synced, Boot: c.boot}
}

// Sleep implements sense.Clock.
func (c *virtualClock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	c.now = c.now.Add(d)
	n := int(4 * c.now.Sub(c.begin) / c.until.Sub(c.begin))
	news := n > c.told && n < 4
	if news {
		c.told = n
	}
	c.mu.Unlock()
	if news {
		c.quarter(n)
	}
	return nil
}

// The names of the spool, of the calibrations and of what the rules at the pond remember in a gateway's data folder.
const (
	spoolFile    = "spool.db"
	calibrations = "calibrations"
	edgeFile     = "edge.json"
)

// gatewayFile is what a season needs to know of a gateway's configuration.
type gatewayFile struct {
	path, id, data, key string
	all                 map[string]any
}

func readGateway(path string) (*gatewayFile, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("gateway configuration: %w", err)
	}
	var known struct {
		Gateway string `yaml:"gateway"`
		DataDir string `yaml:"data_dir"`
		KeyFile string `yaml:"key_file"`
	}
	g := &gatewayFile{path: path}
	if err := errors.Join(yaml.Unmarshal(raw, &known), yaml.Unmarshal(raw, &g.all)); err != nil {
		return nil, fmt.Errorf("%s: %s (gateway check --config %s says more)", path, strings.TrimSpace(yaml.FormatError(err, false, true)), path)
	}
	dir := filepath.Dir(path)
	g.id, g.data, g.key = known.Gateway, "data", known.KeyFile
	if known.DataDir != "" {
		g.data = known.DataDir
	}
	if !filepath.IsAbs(g.data) {
		g.data = filepath.Join(dir, g.data)
	}
	switch {
	case g.key == "":
		g.key = filepath.Join(g.data, "gateway.key")
	case !filepath.IsAbs(g.key):
		g.key = filepath.Join(dir, g.key)
	}
	return g, nil
}

// moved writes a copy of the configuration beside it, so that its relative paths stay right, with data_dir set to work
// and large batches.
func (g *gatewayFile) moved(work string) (path string, err error) {
	key, errKey := filepath.Abs(g.key)
	data, errData := filepath.Abs(work)
	if err := errors.Join(errKey, errData); err != nil {
		return "", err
	}
	sealing, ok := g.all["seal"].(map[string]any)
	if !ok {
		sealing = make(map[string]any)
	}
	sealing["offline_every"] = seasonSeal
	g.all["data_dir"], g.all["key_file"], g.all["seal"] = data, key, sealing
	raw, err := yaml.Marshal(g.all)
	if err != nil {
		return "", err
	}
	path = filepath.Join(filepath.Dir(g.path), ".season-"+filepath.Base(g.path))
	return path, os.WriteFile(path, raw, 0o600)
}

// install moves a finished spool, and what is known of calibrations and aerators, to where the gateway looks for them. SQLite
// has taken its write-ahead log in when the spool was closed; a log that is still there goes first, since a spool without it
// would be older.
func install(work, data string) error {
	for _, stale := range []string{spoolFile + "-wal", spoolFile + "-shm"} { // of a spool that is gone
		if err := os.Remove(filepath.Join(data, stale)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("season: %w", err)
		}
	}
	// Calibrations first: a spool in its place is what says that the season is whole.
	if err := os.RemoveAll(filepath.Join(data, calibrations)); err != nil {
		return fmt.Errorf("season: %w", err)
	}
	if err := os.Rename(filepath.Join(work, calibrations), filepath.Join(data, calibrations)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("season: %w", err)
	}
	for _, name := range []string{edgeFile, spoolFile + "-wal", spoolFile} {
		err := os.Rename(filepath.Join(work, name), filepath.Join(data, name))
		if err != nil && (name == spoolFile || !errors.Is(err, fs.ErrNotExist)) {
			return fmt.Errorf("season: %w", err)
		}
	}
	d, err := os.Open(data)
	if err != nil {
		return fmt.Errorf("season: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("season: %w", err)
	}
	return nil
}

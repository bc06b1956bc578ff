package update

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
)

// reserve is the room on the disk that stays for readings.
const reserve = 100_000_000

// linkFresh is how young the last receipt must be for a trial to begin: a program cannot report over a link that is down.
const linkFresh = 5 * time.Minute

// Wish is what is wanted of the program, now.
type Wish struct {
	Version wire.Version // empty: none
	Attempt int
	URL     string // of the server's pages; empty: nobody knows
	Within  time.Duration
	Rate    uint64 // bytes a second
	Keys    []note.Verifier
	KeyErr  error // why there is none
}

// Options are what an Updater is given.
type Options struct {
	Store *Store
	Self  Self
	Build Build
	Wish  func() Wish
	// Now is the time and whether it is one.
	Now    func() (time.Time, bool)
	Linked func() time.Time // when the last receipt came, by Uptime's clock; zero: none did
	Uptime func() time.Time // a clock that nobody sets
	Busy   func() bool      // somebody is at work who must not be interrupted
	Buses  func() []string  // that give values
	Free   func() (uint64, error)
	Sleep  func(ctx context.Context, d time.Duration) error
	Every  time.Duration // between two looks; default 5 s
	Retry  time.Duration // after a look that failed, and twice as long each time, up to an hour; default 1 min
	Log    *slog.Logger

	// Tell is called whenever the report is another one; Switch when a trial is to begin.
	Tell   func(ctx context.Context)
	Switch func(v wire.Version)
}

// Updater sees to what is wanted of the program while a gateway runs.
type Updater struct {
	o      Options
	client *http.Client
	began  time.Time
	wake   chan struct{}

	wished string    // what the following is about
	tries  int       // in a row that failed
	again  time.Time // not before

	manifest []byte // of release
	release  wire.Release

	mu     sync.Mutex
	report wire.ProgramReport
}

// NewUpdater returns an Updater; it works while Run runs.
func NewUpdater(o Options) *Updater {
	if o.Every <= 0 {
		o.Every = 5 * time.Second
	}
	if o.Retry <= 0 {
		o.Retry = time.Minute
	}
	u := &Updater{o: o, client: newClient(), began: o.Uptime(), wake: make(chan struct{}, 1)}
	u.report = u.say(Wish{}, wire.ProgramCurrent, "", "")
	return u
}

// Report is how the program stands to what is wanted of it.
func (u *Updater) Report() wire.ProgramReport {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.report
}

// Wake has it look at once.
func (u *Updater) Wake() {
	select {
	case u.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx is done.
func (u *Updater) Run(ctx context.Context) error {
	defer u.client.CloseIdleConnections()
	tick := time.NewTicker(u.o.Every)
	defer tick.Stop()
	for {
		u.tell(ctx, u.look(ctx))
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-u.wake:
		}
	}
}

func (u *Updater) tell(ctx context.Context, r wire.ProgramReport) {
	u.mu.Lock()
	same := r == u.report
	u.report = r
	u.mu.Unlock()
	if same || ctx.Err() != nil {
		return
	}
	u.o.Log.Info("program", slog.String("version", r.Version), slog.String("wanted", r.Wanted), slog.String("state", string(r.State)),
		slog.String("code", r.Code), slog.String("why", r.Why))
	u.o.Tell(ctx)
}

func (u *Updater) say(w Wish, s wire.ProgramState, code, why string) wire.ProgramReport {
	return wire.ProgramReport{Version: string(u.o.Self.Version), Wanted: string(w.Version), State: s, Code: code, Why: why}
}

// look does the next step towards what is wanted, and says how things stand.
func (u *Updater) look(ctx context.Context) wire.ProgramReport {
	w := u.o.Wish()
	st, err := u.o.Store.State()
	if err != nil {
		return u.say(w, wire.ProgramWaiting, wire.CodeDisk, err.Error())
	}
	if err := u.judge(&st, w); err != nil {
		return u.say(w, wire.ProgramWaiting, wire.CodeDisk, err.Error())
	}
	if w.Version == "" || w.Version.Compare(u.o.Self.Version) == 0 {
		return u.say(w, wire.ProgramCurrent, "", "")
	}
	if f := st.failure(w.Version); f.blocks(w.Attempt) || f != nil && f.Doubt {
		return u.say(w, wire.ProgramRolledBack, f.Code, f.Why)
	}
	now, known := u.o.Now()
	switch {
	case w.KeyErr != nil:
		return u.say(w, wire.ProgramRefused, wire.CodeKey, w.KeyErr.Error())
	case w.URL == "":
		return u.say(w, wire.ProgramWaiting, wire.CodeServer, "write update: { url: https://... } into the configuration")
	case !known:
		return u.say(w, wire.ProgramWaiting, wire.CodeClock, "the clock is not set")
	}
	if key := fmt.Sprint(w.Version, w.Attempt, w.URL); key != u.wished {
		u.wished, u.tries, u.again, u.release = key, 0, time.Time{}, wire.Release{}
	}
	if u.o.Uptime().Before(u.again) {
		return u.Report()
	}
	h := u.step(ctx, w, st, now)
	if h.later {
		u.again = u.o.Uptime().Add(min(u.o.Retry<<min(u.tries, 10), time.Hour))
		u.tries++
	}
	return u.say(w, h.state, h.code, h.why)
}

// halt is where a step came to an end.
type halt struct {
	state     wire.ProgramState
	code, why string
	later     bool // not to be tried again at once
}

func waits(code string, err error) halt {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EIO) || errors.Is(err, syscall.EDQUOT) {
		code = wire.CodeDisk
	}
	return halt{wire.ProgramWaiting, code, err.Error(), true}
}

// step leads from a wish to a trial, as far as it comes.
func (u *Updater) step(ctx context.Context, w Wish, st State, now time.Time) halt {
	if u.release.Version != w.Version {
		raw, err := u.fetchManifest(ctx, w)
		if err != nil {
			return waits(wire.CodeFetch, err)
		}
		r, err := wire.OpenRelease(raw, w.Keys)
		if err != nil {
			return halt{wire.ProgramRefused, wire.CodeForged, err.Error(), true}
		}
		u.manifest, u.release = raw, r
	}
	if code, err := u.suits(u.release, w, st, now); err != nil {
		u.release = wire.Release{} // the server may have another one tomorrow
		return halt{wire.ProgramRefused, code, err.Error(), true}
	}
	if _, err := u.o.Store.Check(w.Version, w.Keys); err != nil {
		if h := u.bring(ctx, w); h.state != "" {
			return h
		}
	}
	if u.o.Busy() {
		return halt{state: wire.ProgramWaiting, code: wire.CodeBusy, why: "a probe is being calibrated"}
	}
	if last := u.o.Linked(); last.IsZero() || u.o.Uptime().Sub(last) > linkFresh {
		return halt{state: wire.ProgramWaiting, code: wire.CodeLink, why: "no receipt came of late: a program on trial could not report either"}
	}
	err := u.o.Store.begin(u.o.Self, TrialState{Version: w.Version, Attempt: w.Attempt, Buses: u.o.Buses()})
	if err != nil {
		return waits(wire.CodeDisk, err)
	}
	u.o.Switch(w.Version)
	return halt{state: wire.ProgramTrial}
}

// suits reports why a release that its maker signed is none for this gateway.
func (u *Updater) suits(r wire.Release, w Wish, st State, now time.Time) (code string, err error) {
	self := u.o.Self
	newest := self.Version
	for _, v := range []wire.Version{st.Highest, st.Base.Version} {
		if v.Compare(newest) > 0 {
			newest = v
		}
	}
	reads := self.Spool
	if st.Base.Spool > 0 {
		reads = min(reads, st.Base.Spool)
	}
	switch {
	case r.Version != w.Version:
		return wire.CodeForged, fmt.Errorf("update: version %s is wanted, and the server gives the release of %s", w.Version, r.Version)
	case r.Platform != u.o.Build.Platform:
		return wire.CodePlatform, fmt.Errorf("update: this machine is %s, the release is for %s", u.o.Build.Platform, r.Platform)
	case !now.Before(r.Until):
		return wire.CodeExpired, fmt.Errorf("update: the release was good until %s: sign it again", r.Until.Format(time.RFC3339))
	case r.Version.Compare(newest) <= 0:
		return wire.CodeOlder, fmt.Errorf("update: %s was in force here: an older program is installed by hand (its package, then gateway update reset)", newest)
	case self.Version.Compare(r.From) < 0:
		return wire.CodeFrom, fmt.Errorf("update: version %s takes the place of %s and later ones, here is %s: roll that out first", r.Version, r.From, or(self.Version))
	case r.Spool > reads:
		return wire.CodeFormat, fmt.Errorf("update: version %s writes its spool in format %d, which the programs here cannot read (%d): there would be no way back; install its package by hand", r.Version, r.Spool, reads)
	}
	return "", nil
}

func or(v wire.Version) string {
	if v == "" {
		return "a build without a version"
	}
	return string(v)
}

// bring has the program on the disk, whole and checked; the zero halt: it is.
func (u *Updater) bring(ctx context.Context, w Wish) halt {
	store, r := u.o.Store, u.release
	if err := os.MkdirAll(store.dir, 0o700); err != nil {
		return waits(wire.CodeDisk, err)
	}
	st, err := store.State()
	if err != nil {
		return waits(wire.CodeDisk, err)
	}
	if err := store.clean(string(st.Current), string(st.Previous), filepath.Base(store.partFile(r))); err != nil {
		return waits(wire.CodeDisk, err)
	}
	free, err := u.o.Free()
	if err != nil {
		return waits(wire.CodeDisk, err)
	}
	if need := uint64(2*r.Size) + reserve; free < need {
		return halt{wire.ProgramWaiting, wire.CodeDisk, fmt.Sprintf("%d MB are free on the disk, %d MB must be", free/1e6, need/1e6), true}
	}
	u.tell(ctx, u.say(w, wire.ProgramFetching, "", ""))
	if err := u.fetchProgram(ctx, w, r); err != nil {
		return waits(wire.CodeFetch, u.dropBad(err, r))
	}
	if err := store.install(u.manifest, r); err != nil {
		return waits(wire.CodeDamaged, u.dropBad(err, r))
	}
	return halt{}
}

// dropBad removes what came when it cannot become the program.
func (u *Updater) dropBad(err error, r wire.Release) error {
	if !errors.Is(err, ErrDamaged) {
		return err
	}
	if e := os.Remove(u.o.Store.partFile(r)); e != nil && !errors.Is(e, fs.ErrNotExist) {
		return errors.Join(err, e)
	}
	return err
}

// judge settles whose fault it was that a program on trial did not report: if the one before it gets receipts over the same
// link, its own; if it gets none in the same time, nobody's.
func (u *Updater) judge(st *State, w Wish) error {
	innocent := u.o.Uptime().Sub(u.began) > w.Within
	if u.o.Linked().IsZero() && !innocent || !slices.ContainsFunc(st.Failed, func(f Failure) bool { return f.Doubt }) {
		return nil
	}
	innocent = innocent && u.o.Linked().IsZero()
	return u.o.Store.change(func(now *State) {
		for i := range now.Failed {
			f := &now.Failed[i]
			if !f.Doubt {
				continue
			}
			f.Doubt = false
			if innocent {
				f.Open = true
				f.Acquitted++
				u.o.Log.Warn("the program before does not get receipts either: the version may be tried again", slog.String("version", string(f.Version)))
			}
		}
		*st = *now
	})
}

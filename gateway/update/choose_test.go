package update_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"aovuon/gateway/update"
	"aovuon/gateway/wire"
)

// have puts a program of a version where it would come by itself.
func (b *bench) have(version string) {
	b.t.Helper()
	r := b.release(version, program)
	sealed, err := wire.SealRelease(r, b.signer)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(b.store.PartFile(r)), 0o700); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(b.store.PartFile(r), zip(b.t, program), 0o600); err != nil {
		b.t.Fatal(err)
	}
	if err := b.store.Install(sealed, r); err != nil {
		b.t.Fatal(err)
	}
}

// inForce has a version tried and found good.
func (b *bench) inForce(self update.Self, version string) {
	b.t.Helper()
	b.have(version)
	if err := b.store.Begin(self, update.TrialState{Version: wire.Version(version), Attempt: 1}); err != nil {
		b.t.Fatal(err)
	}
	if err := b.store.Conclude(update.Verdict{Good: true}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) choose(self update.Self) update.Choice {
	b.t.Helper()
	return b.store.Choose(self, b.keys, true, func(error) {})
}

func (b *bench) state() update.State {
	b.t.Helper()
	st, err := b.store.State()
	if err != nil {
		b.t.Fatal(err)
	}
	return st
}

func (b *bench) path(name ...string) string {
	return filepath.Join(append([]string{b.dir, "program"}, name...)...)
}

var (
	installed = update.Self{Program: update.Program{Version: "1.0", Spool: 1}, Installed: true}
	running11 = update.Self{Program: update.Program{Version: "1.1", Spool: 1}, Running: "1.1"}
)

func TestChoose_TheProgramInForce(t *testing.T) {
	b := newBench(t)
	if c := b.choose(installed); c.Path != "" {
		t.Errorf("nothing ever came: %+v", c)
	}
	b.inForce(installed, "1.1")
	if c := b.choose(installed); c.Path != b.path("1.1", "gateway") || c.Trial != nil || c.As != "1.1" {
		t.Errorf("%+v", c)
	}
	if c := b.choose(running11); c.Path != "" {
		t.Errorf("the one in force gives its place to %+v", c)
	}
	if c := b.store.Choose(installed, nil, true, func(error) {}); c.Path != "" {
		t.Errorf("with no key of the maker: %+v", c)
	}
	if c := b.choose(installed); c.As != "1.1" {
		t.Errorf("when the key is there again: %+v", c)
	}
}

// TestChoose_ADamagedProgramIsNotRun: one flipped bit, wherever it is, a byte less or more, a lost file, a lost right to run.
func TestChoose_ADamagedProgramIsNotRun(t *testing.T) {
	flip := func(at int) func(raw []byte) []byte {
		return func(raw []byte) []byte { raw[at%len(raw)] ^= 1; return raw }
	}
	for name, tc := range map[string]struct {
		file   string
		damage func(raw []byte) []byte
	}{
		"first bit":            {"gateway", flip(0)},
		"a bit in between":     {"gateway", flip(70_001)},
		"last bit":             {"gateway", flip(len(program) - 1)},
		"a byte less":          {"gateway", func(raw []byte) []byte { return raw[:len(raw)-1] }},
		"a byte more":          {"gateway", func(raw []byte) []byte { return append(raw, 0) }},
		"nothing in it":        {"gateway", func([]byte) []byte { return nil }},
		"the signature":        {"release", flip(250)},
		"the signed text":      {"release", flip(30)},
		"nothing in a release": {"release", func([]byte) []byte { return nil }},
	} {
		b := newBench(t)
		b.inForce(installed, "1.1")
		b.inForce(running11, "1.2")
		path := b.path("1.2", tc.file)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, tc.damage(bytes.Clone(raw)), 0o700); err != nil {
			t.Fatal(err)
		}
		if c := b.choose(installed); c.As != "1.1" {
			t.Errorf("%s: %+v; want the one before", name, c)
		}
		if f := b.state().Failed; len(f) != 1 || f[0].Version != "1.2" || f[0].Code != wire.CodeDamaged || f[0].Why == "" {
			t.Errorf("%s: remembered: %+v", name, f)
		}
		if err := os.RemoveAll(b.path("1.1")); err != nil {
			t.Fatal(err)
		}
		if c := b.choose(installed); c.Path != "" {
			t.Errorf("%s, and the one before is gone: %+v; want the installed one", name, c)
		}
	}
	b := newBench(t)
	b.inForce(installed, "1.1")
	if err := os.Chmod(b.path("1.1", "gateway"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c := b.choose(installed); c.Path != "" {
		t.Errorf("a file that cannot be run: %+v", c)
	}
}

func TestChoose_AProgramThatNeverComesToWorkLosesItsPlace(t *testing.T) {
	b := newBench(t)
	b.inForce(installed, "1.1")
	for i := range 5 {
		if c := b.choose(installed); c.As != "1.1" {
			t.Fatalf("start %d: %+v", i+1, c)
		}
	}
	if c := b.choose(installed); c.Path != "" {
		t.Errorf("after five starts that came to nothing: %+v", c)
	}
	if st := b.state(); st.Current != "" || st.Failed[0].Code != wire.CodeCrash {
		t.Errorf("%+v", st)
	}
	b = newBench(t)
	b.inForce(installed, "1.1")
	for range 20 {
		if c := b.choose(installed); c.As != "1.1" {
			t.Fatalf("%+v", c)
		}
		if err := b.store.Worked(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestChoose_AnInstalledProgramThatIsNewerWins: somebody installed it.
func TestChoose_AnInstalledProgramThatIsNewerWins(t *testing.T) {
	b := newBench(t)
	b.inForce(installed, "1.1")
	same := update.Self{Program: update.Program{Version: "1.0+other", Spool: 1}, Installed: true}
	if c := b.choose(same); c.As != "1.1" {
		t.Errorf("another build of the old one: %+v", c)
	}
	newer := update.Self{Program: update.Program{Version: "1.2", Spool: 2}, Installed: true}
	if c := b.choose(newer); c.Path != "" {
		t.Errorf("%+v", c)
	}
	if st := b.state(); st.Current != "" || st.Base != newer.Program || st.Highest != "1.1" {
		t.Errorf("%+v", st)
	}
}

// TestChoose_ATrialIsBegunThreeTimes: a machine that goes down in every trial stops trying; one that was told to stop does not
// count; while the configuration is wrong there is none.
func TestChoose_ATrialIsBegunThreeTimes(t *testing.T) {
	b := newBench(t)
	b.have("1.1")
	if err := b.store.Begin(installed, update.TrialState{Version: "1.1", Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	if c := b.store.Choose(installed, b.keys, false, func(error) {}); c.Path != "" {
		t.Errorf("with a wrong configuration: %+v", c)
	}
	for range 10 {
		if c := b.choose(installed); c.Trial == nil {
			t.Fatalf("%+v", c)
		}
		if err := b.store.Conclude(update.Verdict{}); err != nil { // told to stop
			t.Fatal(err)
		}
	}
	for i := range 3 {
		if c := b.choose(installed); c.Trial == nil {
			t.Fatalf("start %d: %+v", i+1, c)
		}
	}
	if c := b.choose(installed); c.Path != "" {
		t.Errorf("after three: %+v", c)
	}
	if f := b.state().Failed; len(f) != 1 || f[0].Code != wire.CodeStopped {
		t.Errorf("%+v", f)
	}
}

// TestChoose_AStateThatCannotBeRead leads to the installed program, and says so.
func TestChoose_AStateThatCannotBeRead(t *testing.T) {
	b := newBench(t)
	b.inForce(installed, "1.1")
	for _, text := range []string{"", "{", "\x00\x00\x00\x00", `{"current":7}`} {
		if err := os.WriteFile(b.path("state.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		told := 0
		if c := b.store.Choose(installed, b.keys, true, func(error) { told++ }); c.Path != "" || told == 0 {
			t.Errorf("%q: %+v, told %d times", text, c, told)
		}
	}
}

package setup_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/server/setup"
)

func at() time.Time { return time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC) }

func TestStore_ALinkBelongsToTheFirstBrowser(t *testing.T) {
	now := at()
	s := setup.NewStore(t.TempDir(), func() time.Time { return now })
	token, err := s.NewLink()
	if err != nil {
		t.Fatal(err)
	}
	cookie, err := s.Enter(token, "")
	if err != nil || cookie == "" {
		t.Fatal(cookie, err)
	}
	if set, err := s.Enter(token, cookie); set != "" || err != nil {
		t.Errorf("the same browser again: %q %v", set, err)
	}
	for name, other := range map[string]string{"none": "", "another": cookie[1:] + "x"} {
		if _, err := s.Enter(token, other); !errors.Is(err, setup.ErrElsewhere) {
			t.Errorf("with %s cookie: %v", name, err)
		}
	}
	if _, err := s.Enter("guessed", cookie); !errors.Is(err, setup.ErrLink) {
		t.Errorf("a guess: %v", err)
	}
	now = now.Add(setup.LinkLimit)
	if _, err := s.Enter(token, cookie); !errors.Is(err, setup.ErrLink) {
		t.Errorf("after 24 hours: %v", err)
	}
}

func TestStore_KeepsNoSecretThatOpensThePage(t *testing.T) {
	dir := t.TempDir()
	s := setup.NewStore(dir, at)
	token, err := s.NewLink()
	if err != nil {
		t.Fatal(err)
	}
	cookie, err := s.Enter(token, "")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, setup.StateFile))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), token) || strings.Contains(string(raw), cookie) {
		t.Errorf("%s", raw)
	}
	if info, err := os.Stat(filepath.Join(dir, setup.StateFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestStore_ChangesOfManyAtOnceAreAllThere(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := setup.NewStore(dir, at).Change(func(st *setup.State) error { st.Problem += "x"; return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if st, found, err := setup.NewStore(dir, at).Read(); err != nil || !found || st.Problem != "xxxxxxxx" {
		t.Errorf("%+v %v %v", st, found, err)
	}
}

func TestStore_SaysWhichFileIsDamaged(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, setup.StateFile), []byte(`{"draft":`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := setup.NewStore(dir, at).Read()
	if err == nil || !strings.Contains(err.Error(), setup.StateFile) || !strings.Contains(err.Error(), "remove the file") {
		t.Error(err)
	}
}

func good() setup.Draft {
	return setup.Draft{Coop: "Hợp tác xã Phú Khê", Address: "Thôn Phú Khê", Name: "htx-phu-khe", Way: setup.LAN, LANHost: "192.168.1.10"}
}

func TestDraft_SaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*setup.Draft)
		want   []setup.Problem
	}{
		"nothing":              {func(*setup.Draft) {}, nil},
		"no name":              {func(d *setup.Draft) { d.Coop = "" }, []setup.Problem{{"coop", "missing"}}},
		"no address":           {func(d *setup.Draft) { d.Address = "" }, []setup.Problem{{"address", "missing"}}},
		"long":                 {func(d *setup.Draft) { d.CoopEN = strings.Repeat("x", 201) }, []setup.Problem{{"coop_en", "long"}}},
		"a line break":         {func(d *setup.Draft) { d.AddressEN = "a\nlisten: x" }, []setup.Problem{{"address_en", "text"}}},
		"a telephone":          {func(d *setup.Draft) { d.Phone = "0225 3812 345" }, nil},
		"a short telephone":    {func(d *setup.Draft) { d.Phone = "0912 345" }, []setup.Problem{{"phone", "phone"}}},
		"a long telephone":     {func(d *setup.Draft) { d.Phone = "0912 345 678" + strings.Repeat(" ", 30) + "9" }, []setup.Problem{{"phone", "phone"}}},
		"key name":             {func(d *setup.Draft) { d.Name = "HTX Phú" }, []setup.Problem{{"name", "name"}}},
		"no way":               {func(d *setup.Draft) { d.Way = "" }, []setup.Problem{{"way", "way"}}},
		"host with path":       {func(d *setup.Draft) { d.LANHost = "http://x/y" }, []setup.Problem{{"lan_host", "host"}}},
		"local domain":         {func(d *setup.Draft) { d.Way, d.Domain, d.Email = setup.Domain, "may.local", "a@b.vn" }, []setup.Problem{{"domain", "domain"}}},
		"an address as domain": {func(d *setup.Draft) { d.Way, d.Domain, d.Email = setup.Domain, "1.2.3.4", "a@b.vn" }, []setup.Problem{{"domain", "domain"}}},
		"domain without mail":  {func(d *setup.Draft) { d.Way, d.Domain = setup.Domain, "htx.vn" }, []setup.Problem{{"email", "email"}}},
		"mail with a name":     {func(d *setup.Draft) { d.Email = "A <a@b.vn>" }, []setup.Problem{{"email", "email"}}},
		"relative files": {
			func(d *setup.Draft) { d.Way, d.OwnHost, d.CertFile, d.KeyFile = setup.Own, "htx.vn", "a.pem", "/b" },
			[]setup.Problem{{"cert_file", "file"}},
		},
		"no port":      {func(d *setup.Draft) { d.Port = "70000" }, []setup.Problem{{"port", "port"}}},
		"port of http": {func(d *setup.Draft) { d.Port = "80" }, []setup.Problem{{"port", "reserved"}}},
	} {
		d := good()
		c.change(&d)
		if diff := cmp.Diff(c.want, append(d.CheckCoop(), d.CheckAddress()...)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		for _, p := range c.want {
			if !slices.Contains(setup.Codes(), p.Code) {
				t.Errorf("%s is not among Codes", p.Code)
			}
		}
	}
}

func TestSettings_OfADraft(t *testing.T) {
	lan := good()
	domain := good()
	domain.Way, domain.Domain, domain.Email = setup.Domain, "htx.vn", "a@htx.vn"
	own := good()
	own.Way, own.OwnHost, own.CertFile, own.KeyFile, own.Port = setup.Own, "may.htx.vn", "/c.pem", "/k.pem", "8443"
	for name, c := range map[string]struct {
		d    setup.Draft
		lead bool
		want string
	}{
		"lan":    {lan, true, "name: htx-phu-khe\nlisten: :443\npublic_url: https://192.168.1.10\ntls:\n  lan: true\n  redirect: :80\nbroker:\n  embedded:\n    listen: :8883\n    lan: true\n"},
		"domain": {domain, true, "name: htx-phu-khe\nlisten: :443\npublic_url: https://htx.vn\ntls:\n  acme:\n    domains:\n    - htx.vn\n    email: a@htx.vn\n  redirect: :80\nbroker:\n  embedded:\n    listen: :8883\n    lan: true\nchannels:\n  push:\n    contact: a@htx.vn\n"},
		"own":    {own, false, "name: htx-phu-khe\nlisten: :8443\npublic_url: https://may.htx.vn:8443\ntls:\n  cert_file: /c.pem\n  key_file: /k.pem\nbroker:\n  embedded:\n    listen: :8883\n    lan: true\n"},
	} {
		dir := t.TempDir()
		s := c.d.Settings(c.lead)
		if err := s.Write(dir); err != nil {
			t.Fatal(err)
		}
		back, raw, err := setup.ReadSettings(dir)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, back); diff != "" {
			t.Errorf("%s: read back: %s", name, diff)
		}
		_, body, _ := strings.Cut(string(raw), "is in force.\n")
		if diff := cmp.Diff(c.want, body); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// office is a machine with one address, where every port is free and every name leads to it.
func office() setup.World {
	own := []netip.Addr{netip.MustParseAddr("192.168.1.10")}
	return setup.World{
		Addresses: func() ([]netip.Addr, error) { return own, nil },
		Resolve:   func(context.Context, string) ([]netip.Addr, error) { return own, nil },
		Listen:    func(string) error { return nil },
		Reach:     func(context.Context) error { return nil },
		Now:       at,
	}
}

func TestPlan_FindsWhatStandsAgainstIt(t *testing.T) {
	busy := func(port string, why error) func(string) error {
		return func(addr string) error {
			if strings.HasSuffix(addr, port) {
				return &os.SyscallError{Syscall: "bind", Err: why}
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		change func(*setup.Plan, *setup.World)
		code   string
		grade  setup.Grade
	}{
		"page port taken":   {func(_ *setup.Plan, w *setup.World) { w.Listen = busy(":443", syscall.EADDRINUSE) }, "port.pages.taken", setup.Bad},
		"http port taken":   {func(_ *setup.Plan, w *setup.World) { w.Listen = busy(":80", syscall.EADDRINUSE) }, "port.plain.taken", setup.Warn},
		"broker port taken": {func(_ *setup.Plan, w *setup.World) { w.Listen = busy(":8883", syscall.EADDRINUSE) }, "port.broker.taken", setup.Bad},
		"port not allowed":  {func(_ *setup.Plan, w *setup.World) { w.Listen = busy(":443", syscall.EACCES) }, "port.denied", setup.Bad},
		"our own port":      {func(p *setup.Plan, w *setup.World) { p.Ours, w.Listen = "[::]:443", busy(":443", syscall.EADDRINUSE) }, "port.pages", setup.Fine},
		"another's address": {func(p *setup.Plan, _ *setup.World) { p.Draft.LANHost = "192.168.1.99" }, "address.other", setup.Bad},
		"a public address":  {func(p *setup.Plan, _ *setup.World) { p.Draft.LANHost = "8.8.8.8" }, "address.public", setup.Bad},
		"own address":       {func(*setup.Plan, *setup.World) {}, "address.here", setup.Note},
		"multicast name":    {func(p *setup.Plan, _ *setup.World) { p.Draft.LANHost = "aovuon.local" }, "name.local", setup.Note},
		"name of the router": {func(p *setup.Plan, w *setup.World) {
			p.Draft.Way, p.Draft.Domain = setup.Domain, "htx.vn"
			w.Resolve = func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("113.160.1.2")}, nil
			}
		}, "name.other", setup.Warn},
		"name of nobody": {func(p *setup.Plan, w *setup.World) {
			p.Draft.Way, p.Draft.Domain = setup.Domain, "htx.vn"
			w.Resolve = func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }
		}, "name.none", setup.Bad},
		"name of this machine": {func(p *setup.Plan, _ *setup.World) { p.Draft.Way, p.Draft.Domain = setup.Domain, "htx.vn" }, "name.here", setup.Fine},
		"no Internet": {func(p *setup.Plan, w *setup.World) {
			p.Draft.Way, p.Draft.Domain = setup.Domain, "htx.vn"
			w.Reach = func(context.Context) error { return errors.New("unreachable") }
		}, "internet", setup.Warn},
		"fixed in the file":   {func(p *setup.Plan, _ *setup.World) { p.Fixed = []string{"listen"} }, "fixed", setup.Note},
		"no folder":           {func(p *setup.Plan, _ *setup.World) { p.DataDir = "/nowhere/at/all" }, "folder.bad", setup.Bad},
		"another address now": {func(p *setup.Plan, _ *setup.World) { p.OldURL = "https://192.168.1.9" }, "moved", setup.Warn},
		"no certificate": {func(p *setup.Plan, _ *setup.World) {
			p.Draft.Way, p.Draft.OwnHost, p.Draft.CertFile, p.Draft.KeyFile = setup.Own, "htx.vn", "/nowhere.pem", "/nowhere.key"
		}, "cert.none", setup.Bad},
	} {
		p, w := setup.Plan{Draft: good(), DataDir: t.TempDir(), Listen: ":443", Redirect: ":80", Broker: ":8883", Ours: "[::]:8080"}, office()
		c.change(&p, &w)
		found := p.Look(t.Context(), w)
		i := slices.IndexFunc(found, func(f setup.Finding) bool { return f.Code == c.code })
		if i < 0 || found[i].Grade != c.grade {
			t.Errorf("%s: %+v", name, found)
		}
		for _, f := range found {
			if !slices.Contains(setup.FindingCodes(), f.Code) {
				t.Errorf("%s is not among FindingCodes", f.Code)
			}
		}
		if !slices.IsSortedFunc(found, func(a, b setup.Finding) int { return rank(a.Grade) - rank(b.Grade) }) {
			t.Errorf("%s: the gravest do not stand first: %+v", name, found)
		}
	}
}

func rank(g setup.Grade) int {
	return slices.Index([]setup.Grade{setup.Bad, setup.Warn, setup.Note, setup.Fine}, g)
}

func TestDisks_TellsWhatIsOnTheSameDisk(t *testing.T) {
	dir := t.TempDir()
	list, err := setup.Disks(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		if d.Size == 0 || d.Free > d.Size || !filepath.IsAbs(d.Mount) {
			t.Errorf("%+v", d)
		}
	}
	if !setup.SameDisk(dir, filepath.Join(dir, "not", "made", "yet")) {
		t.Error("a folder that will be made below is on another disk")
	}
	if setup.SameDisk(dir, "/proc") {
		t.Error("/proc is on the same disk")
	}
}

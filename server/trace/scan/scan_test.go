package scan_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aovuon/server/trace"
	"aovuon/server/trace/scan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestProvinces_AreThe34OfToday(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range scan.Provinces() {
		if seen[p.Code] || seen[p.Name] || len(p.Code) != 2 || p.North < 8 || p.North > 23.5 || p.East < 102 || p.East > 110 || p.KM < 40 || p.KM > 130 {
			t.Errorf("%+v", p)
		}
		seen[p.Code], seen[p.Name] = true, true
	}
	if len(seen) != 2*34 || seen["Hải Dương"] || seen["30"] || scan.ValidProvince("30") || !scan.ValidProvince("33") || !scan.ValidProvince(scan.Abroad) {
		t.Errorf("%d codes and names", len(seen))
	}
}

// The shortest ways by hand: middles by a map service, borders as in the table.
func TestLeast_IsFairToBusesAndAeroplanes(t *testing.T) {
	for _, tc := range []struct {
		from, to string
		least    time.Duration
		most     time.Duration
	}{
		{"01", "31", 0, 15 * time.Minute},                         // Hà Nội, Hải Phòng: the borders almost meet
		{"01", "24", 0, 0},                                        // neighbours
		{"01", "79", 3 * time.Hour, 3*time.Hour + 30*time.Minute}, // by air
		{"31", "48", 2 * time.Hour, 3 * time.Hour},                // Hải Phòng, Đà Nẵng
		{"01", "01", 0, 0},
		{"01", "", 0, 0},
		{"01", scan.Abroad, 0, 0},
		{"xx", "01", 0, 0},
	} {
		if got := scan.Least(tc.from, tc.to); got < tc.least || got > tc.most || got != scan.Least(tc.to, tc.from) {
			t.Errorf("%s to %s: %v", tc.from, tc.to, got)
		}
	}
}

func TestRegions_TellWhatTheTableSays(t *testing.T) {
	r, err := scan.ParseRegions(strings.NewReader("\ufeffnetwork,province\n# VNPT\n113.160.92.0/22,33\n14.160.0.0-14.160.7.255, 01\n2001:ee0::/32,\"79\"\n\n8.8.8.8-8.8.8.8,00\n"))
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]string{
		"113.160.92.0": "33", "113.160.95.255": "33", "113.160.96.0": "", "113.160.91.255": "", "14.160.7.255": "01", "14.160.8.0": "", "14.159.255.255": "", "2001:ee0:1::5": "79", "2001:ee1::": "",
		"::ffff:14.160.0.1": "01", "8.8.8.8": "00", "0.0.0.0": "", "::": "",
	} {
		if got := r.Of(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %q, want %q", addr, got, want)
		}
	}
	if (*scan.Regions)(nil).Of(netip.MustParseAddr("8.8.8.8")) != "" || r.Of(netip.Addr{}) != "" {
		t.Error("no table, or no address, tells a province")
	}
}

func TestRegions_SayWhereTheyAreWrong(t *testing.T) {
	for text, want := range map[string]string{
		"1.2.3.0/24,33\n1.2.3.128/25,01\n":   "line 2: overlaps line 1",
		"1.2.3.0/24,33\n1.2.3.0/25,33\n":     "line 2: begins where line 1 does",
		"1.2.3.4/24,33\n":                    "line 1",
		"1.2.3.0/24,30\n":                    "one of the 34 provinces",
		"1.2.3.0/24\n":                       "NETWORK,PROVINCE",
		"# a\n1.2.3.9-1.2.3.4,33\n":          "line 2",
		"1.2.3.0-2001:db8::,33\n":            "one family",
		"x,33\n":                             "such as 113.160.92.0/22",
		strings.Repeat("1", 500) + ",33\n":   "line 1",
		"1.1.1.1/32,33\nnetwork,province\n":  "line 2",
		"1.1.1.1/32,33\n1.1.1.1/33,33\n":     "line 2",
		"1.1.1.0/24,33\r\n1.1.1.0/24,33\r\n": "line 2",
	} {
		if _, err := scan.ParseRegions(strings.NewReader(text)); !errors.Is(err, scan.ErrRegions) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

func FuzzParseRegions(f *testing.F) {
	f.Add("network,province\n113.160.92.0/22,33\n14.160.0.0-14.160.7.255,01\n2001:ee0::/32,79\n", "113.160.93.1")
	f.Add("0.0.0.0/0,33\n::/0,01\n", "255.255.255.255")
	f.Fuzz(func(t *testing.T, text, addr string) {
		r, err := scan.ParseRegions(strings.NewReader(text))
		if err != nil {
			if !errors.Is(err, scan.ErrRegions) || r != nil {
				t.Errorf("%v", err)
			}
			return
		}
		a, err := netip.ParseAddr(addr)
		if err != nil {
			return
		}
		if got := r.Of(a); got != "" && !scan.ValidProvince(got) {
			t.Errorf("%s: %q", addr, got)
		}
	})
}

// rows makes scans by so many browsers, apart.
func rows(n int, apart time.Duration, state trace.ItemState) (out []scan.Row) {
	at := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	for i := range n {
		out = append(out, scan.Row{At: at.Add(time.Duration(i) * apart), Client: scan.Client{byte(i), byte(i >> 8), 1}, State: state})
	}
	return out
}

func TestJudge_RuleByRule(t *testing.T) {
	l, item := scan.Defaults(), scan.Subject{Kind: scan.OfItem, State: trace.ItemShipped}
	day := 24 * time.Hour
	travelled := rows(6, 10*time.Minute, trace.ItemShipped)
	for i := range travelled {
		travelled[i].Province = []string{"01", "79"}[i%2]
	}
	alone := rows(6, 10*time.Minute, trace.ItemShipped) // one person whose answers differ
	for i := range alone {
		alone[i].Client, alone[i].Province = scan.Client{1}, []string{"01", "79"}[i%2]
	}
	sold := item
	sold.Sold = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		sub     scan.Subject
		rows    []scan.Row
		all     int
		cleared time.Time
		want    []scan.Rule
	}{
		"nothing":               {sub: item},
		"nine browsers":         {sub: item, rows: rows(9, 5*time.Hour, "")},
		"ten browsers":          {sub: item, rows: rows(10, 5*time.Hour, ""), want: []scan.Rule{scan.ManyClients}},
		"ten, long ago":         {sub: item, rows: rows(10, 5*day, "")},
		"ten, found in order":   {sub: item, rows: rows(10, 5*time.Hour, ""), cleared: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)},
		"eight within the hour": {sub: item, rows: rows(8, 8*time.Minute, ""), want: []scan.Rule{scan.Burst}},
		"eight over an hour":    {sub: item, rows: rows(8, 9*time.Minute, "")},
		"two provinces at once": {sub: item, rows: travelled, want: []scan.Rule{scan.Travel}},
		"one journey":           {sub: item, rows: travelled[:2]},
		"one who says both":     {sub: item, rows: alone},
		"six after the sale":    {sub: sold, rows: rows(9, day, ""), want: []scan.Rule{scan.AfterSold}},
		"not sold":              {sub: item, rows: rows(9, 20*time.Hour, "")},
		"printed, one looks":    {sub: scan.Subject{Kind: scan.OfItem, State: trace.ItemPrinted}, rows: rows(1, day, trace.ItemPrinted)},
		"printed, two look":     {sub: scan.Subject{Kind: scan.OfItem, State: trace.ItemPrinted}, rows: rows(2, day, trace.ItemPrinted), want: []scan.Rule{scan.NotActive}},
		"void, looked at then":  {sub: scan.Subject{Kind: scan.OfItem, State: trace.ItemVoid}, rows: rows(3, day, trace.ItemShipped)},
		"void":                  {sub: scan.Subject{Kind: scan.OfItem, State: trace.ItemVoid}, rows: rows(2, day, trace.ItemVoid), want: []scan.Rule{scan.Voided}},
		"a lot of 40":           {sub: scan.Subject{Kind: scan.OfLot, Units: 40}, rows: rows(5, time.Minute, ""), all: 99},
		"a lot of 40, too many": {sub: scan.Subject{Kind: scan.OfLot, Units: 40}, rows: rows(5, time.Minute, ""), all: 100, want: []scan.Rule{scan.LotRate}},
		"a lot of 2":            {sub: scan.Subject{Kind: scan.OfLot, Units: 2}, rows: rows(5, time.Minute, ""), all: 29},
		"a lot of nobody knows": {sub: scan.Subject{Kind: scan.OfLot}, rows: rows(5, time.Minute, ""), all: 10_000},
		"a lot found in order":  {sub: scan.Subject{Kind: scan.OfLot, Units: 2}, rows: rows(29, time.Minute, ""), all: 500, cleared: time.Date(2026, 11, 1, 7, 0, 0, 0, time.UTC)},
	} {
		var now time.Time
		for _, r := range tc.rows {
			now = r.At
		}
		if name == "ten, long ago" {
			now = now.AddDate(0, 0, 10)
		}
		if tc.rows != nil {
			slices.Reverse(tc.rows)
		}
		var got []scan.Rule
		for _, f := range l.Judge(tc.sub, tc.rows, tc.all, tc.cleared, now) {
			got = append(got, f.Rule)
			if f.At.IsZero() || f.N == 0 {
				t.Errorf("%s: %+v", name, f)
			}
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// memory is a store of items of which everything is known but nothing kept except what the last batches said.
type memory struct {
	issued  func(code string) bool
	batches []scan.Batch
}

func (m *memory) Subjects(_ context.Context, codes []string) (map[string]scan.Subject, error) {
	out := map[string]scan.Subject{}
	for _, c := range codes {
		if m.issued(c) {
			out[c] = scan.Subject{Kind: scan.OfItem, State: trace.ItemShipped}
		}
	}
	return out, nil
}

func (m *memory) ScanSummary(context.Context, string) (scan.Summary, bool, error) {
	return scan.Summary{}, false, nil
}
func (m *memory) ScanRows(context.Context, string, int) ([]scan.Row, error) { return nil, nil }
func (m *memory) KeepScans(_ context.Context, b scan.Batch) error {
	m.batches = append(m.batches, b)
	return nil
}
func (m *memory) ForgetScans(context.Context, time.Time, int) (int64, error) { return 0, nil }

// run sends scans through a service and returns what it kept.
func run(t *testing.T, random []byte, issued func(string) bool, scans []scan.Scanned) (day scan.Day, out []scan.Row, sweeps map[scan.Client]scan.Sweep, found int) {
	t.Helper()
	m := &memory{issued: issued}
	var at time.Time
	s := scan.New(scan.Options{Store: m, Limits: scan.Defaults(), Keep: scan.Keep, Random: bytes.NewReader(random), Now: func() time.Time { return at }, Log: slog.New(slog.DiscardHandler)})
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for len(scans) > 0 { // as many as fit the queue, and then all of them are kept
		n := min(len(scans), 5000)
		for _, sc := range scans[:n] {
			at = sc.At
			s.Note(sc)
		}
		if err := s.Run(done); err != nil {
			t.Fatal(err)
		}
		scans = scans[n:]
	}
	sweeps = map[scan.Client]scan.Sweep{}
	for _, b := range m.batches {
		out = append(out, b.Rows...)
		for _, d := range b.Days {
			day.Add(d)
		}
		for _, s := range b.Sweeps {
			sweeps[s.Client] = s
		}
		for _, f := range b.Found {
			found += len(f)
		}
	}
	return day, out, sweeps, found
}

// A program that reads every label makes no code suspicious, and one that guesses is seen at its tenth guess: what is kept of both is small.
func TestSimulatedBot(t *testing.T) {
	start := time.Date(2026, 11, 2, 3, 0, 0, 0, time.UTC)
	random := bytes.Repeat([]byte{7}, 1<<10)
	var reads, guesses, shop []scan.Scanned
	for i := range 20_000 {
		reads = append(reads, scan.Scanned{Code: fmt.Sprint("/real/", i), Addr: "198.51.100.7", Agent: "Mozilla/5.0 (X11)", At: start.Add(time.Duration(i) * 100 * time.Millisecond)})
		guesses = append(guesses, scan.Scanned{Code: fmt.Sprint("/guess/", i), Addr: "198.51.100.8", Agent: "Mozilla/5.0", At: start.Add(time.Duration(i) * 100 * time.Millisecond)})
	}
	for i := range 50 { // a reseller who looks at every pack of a delivery
		shop = append(shop, scan.Scanned{Code: fmt.Sprint("/real/", i), Addr: "203.0.113.5", Agent: "Mozilla/5.0 Zalo", At: start.Add(time.Duration(i) * 20 * time.Second)})
	}
	ours := func(code string) bool { return strings.HasPrefix(code, "/real/") }
	day, kept, sweeps, found := run(t, random, ours, reads)
	t.Logf("a program opens 20,000 labels in 33 minutes: %d scans kept, %d set aside, %d findings", len(kept), day.Swept, found)
	if len(kept) != 60 || day.Swept != 19_940 || found != 0 || len(sweeps) != 1 {
		t.Errorf("%+v, %d kept, %d found, %d sweeps", day, len(kept), found, len(sweeps))
	}
	day, kept, sweeps, _ = run(t, random, ours, guesses)
	t.Logf("a program guesses 20,000 serials: %d scans kept, %d counted", len(kept), day.Unknown)
	if len(kept) != 0 || day.Unknown != 20_000 || len(sweeps) != 1 {
		t.Errorf("%+v, %d kept, %d sweeps", day, len(kept), len(sweeps))
	}
	day, kept, sweeps, _ = run(t, random, ours, shop)
	if len(kept) != 50 || day.Scans != 50 || len(sweeps) != 0 {
		t.Errorf("a reseller: %+v, %d kept, %d sweeps", day, len(kept), len(sweeps))
	}
}

// One browser is one client for a day, another on the next, and another under another key: nobody can tell without the key.
func TestClient_IsOneForADay(t *testing.T) {
	start := time.Date(2026, 11, 2, 3, 0, 0, 0, time.UTC)
	at := func(h int, addr, agent string) scan.Scanned {
		return scan.Scanned{Code: fmt.Sprint("/", h), Addr: addr, Agent: agent, At: start.Add(time.Duration(h) * time.Hour)}
	}
	all := func(string) bool { return true }
	random := append(bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)...)
	_, kept, _, _ := run(t, random, all, []scan.Scanned{at(0, "198.51.100.7", "A 1"), at(1, "198.51.100.7", "A 1"), at(2, "198.51.100.7", "B"), at(3, "198.51.100.7A", " 1"), at(24, "198.51.100.7", "A 1")})
	_, other, _, _ := run(t, bytes.Repeat([]byte{9}, 64), all, []scan.Scanned{at(0, "198.51.100.7", "A 1")})
	slices.SortFunc(kept, func(a, b scan.Row) int { return a.At.Compare(b.At) })
	if len(kept) != 5 || kept[0].Client != kept[1].Client {
		t.Fatalf("%+v", kept)
	}
	seen := map[scan.Client]bool{other[0].Client: true}
	for _, r := range append(kept[1:], other[1:]...) {
		if seen[r.Client] {
			t.Errorf("%s is somebody else's, too", r.Code)
		}
		seen[r.Client] = true
	}
}

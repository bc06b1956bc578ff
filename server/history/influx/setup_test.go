package influx_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"aovuon/server/history"
	"aovuon/server/history/influx"
	"aovuon/server/parttest"
)

func drop(t *testing.T, o influx.Options) error {
	t.Helper()
	s := open(t, o)
	defer closed(t, s)
	return s.Discard(t.Context())
}

// reads reports how many points a store sees that names no generation: what a dashboard would.
func reads(t *testing.T, o influx.Options) int {
	t.Helper()
	o.Policy = ""
	s := open(t, o)
	defer closed(t, s)
	n := 0
	if err := s.Each(t.Context(), points(1)[0].Series, points(1)[0].Time, points(1)[0].Time.AddDate(1, 0, 0), func(history.Point) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// A history is drawn again beside the one in use, becomes what everybody reads, and the old one is dropped: on each of the three.
func TestSetup_GenerationsReplaceEachOther(t *testing.T) {
	for name, o := range map[string]func(t *testing.T) influx.Options{
		"1.8": func(t *testing.T) influx.Options {
			d := parttest.InfluxdWith(t, parttest.InfluxdOptions{Auth: true})
			return influx.Options{URL: d.URL, Database: "vườn", Username: d.Username, Password: d.Password}
		},
		"2.x": func(t *testing.T) influx.Options {
			m := imitate(t, false)
			return influx.Options{URL: m.URL, Database: "aovuon", Bucket: "ao", Org: orgName, Token: m.token}
		},
		"3": func(t *testing.T) influx.Options {
			m := imitate(t, true)
			return influx.Options{URL: m.URL, Database: "aovuon", Token: m.token}
		},
	} {
		t.Run(name, func(t *testing.T) {
			old := o(t)
			first := open(t, old)
			defer closed(t, first)
			made, err := first.Setup(t.Context())
			if err != nil || len(made) == 0 {
				t.Fatalf("set up: %v, %v", made, err)
			}
			if made, err = first.Setup(t.Context()); err != nil || len(made) > 0 {
				t.Fatalf("set up again: %v, %v", made, err)
			}
			if err := first.Write(t.Context(), points(3)); err != nil {
				t.Fatal(err)
			}
			if old.Policy, err = first.Place(t.Context()); err != nil {
				t.Fatal(err)
			}
			next := old
			next.Policy = "g1"
			second := setUp(t, next)
			defer closed(t, second)
			if made, err = second.Setup(t.Context()); err != nil || len(made) > 0 {
				t.Fatalf("set up the next generation again: %v, %v", made, err)
			}
			if err := second.Write(t.Context(), points(5)); err != nil {
				t.Fatal(err)
			}
			if n := reads(t, old); n != 3 {
				t.Errorf("%d points in the first generation while the next is drawn", n)
			}
			for range 2 {
				if err := second.Promote(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			want := 5
			if name == "3" { // has no default: whoever reads names the database
				want = 3
			}
			if n := reads(t, old); n != want {
				t.Errorf("%d points by default after the change: want %d", n, want)
			}
			for range 2 {
				if err := drop(t, old); err != nil {
					t.Fatal(err)
				}
			}
			b, err := second.Range(t.Context(), history.Query{Series: points(1)[0].Series, From: points(1)[0].Time, To: points(1)[0].Time.AddDate(1, 0, 0)})
			if err != nil || len(b) != 5 {
				t.Errorf("after the old one was dropped: %v, %v", b, err)
			}
		})
	}
}

// What other programs keep in the same place is not dropped with ours.
func TestDiscard_LeavesWhatIsSharedAlone(t *testing.T) {
	d := parttest.Influxd(t)
	o := influx.Options{URL: d.URL, Database: d.Database, Policy: "autogen"}
	s := open(t, o)
	defer closed(t, s)
	if err := s.Write(t.Context(), points(1)); err != nil {
		t.Fatal(err)
	}
	d.Query(`CREATE RETENTION POLICY "other" ON "aovuon" DURATION INF REPLICATION 1`)
	d.Query(`SELECT "value" INTO "aovuon"."autogen"."cpu" FROM "ph"`)
	if err := s.Discard(t.Context()); !errors.Is(err, influx.ErrShared) || !strings.Contains(err.Error(), `"cpu"`) {
		t.Errorf("Discard = %v: want ErrShared that names cpu", err)
	}
	if err := drop(t, influx.Options{URL: d.URL, Database: d.Database}); err == nil {
		t.Error("the default retention policy was dropped without its name")
	}
	if err := drop(t, influx.Options{URL: d.URL, Database: d.Database, Policy: "never was"}); err != nil {
		t.Error(err)
	}
	if n := reads(t, o); n != 1 {
		t.Errorf("%d points", n)
	}
}

// What is missing that only a person can give is said with what to do.
func TestSetup_SaysWhatToMend(t *testing.T) {
	two, three, one := imitate(t, false), imitate(t, true), parttest.InfluxdWith(t, parttest.InfluxdOptions{Auth: true})
	for name, tc := range map[string]struct {
		o    influx.Options
		says string
	}{
		"2.x, no organisation":       {influx.Options{URL: two.URL, Token: two.token, Database: "a"}, "set history.org"},
		"2.x, another organisation":  {influx.Options{URL: two.URL, Token: two.token, Database: "a", Org: "b"}, `no organisation "b"`},
		"2.x, wrong token":           {influx.Options{URL: two.URL, Token: "x", Database: "a", Org: orgName}, "401"},
		"3, wrong token":             {influx.Options{URL: three.URL, Token: "x", Database: "a"}, "401"},
		"3, a name it does not take": {influx.Options{URL: three.URL, Token: three.token, Database: "ao vườn"}, "history.database"},
		"3, a bucket":                {influx.Options{URL: three.URL, Token: three.token, Database: "a", Bucket: "b"}, "history.bucket"},
		"1.8, a bucket":              {influx.Options{URL: one.URL, Username: one.Username, Password: one.Password, Database: "a", Bucket: "b"}, "history.bucket"},
		"1.8, wrong password":        {influx.Options{URL: one.URL, Username: one.Username, Password: "x", Database: "a"}, "401"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, tc.o)
			defer closed(t, s)
			made, err := s.Setup(t.Context())
			if !errors.Is(err, history.ErrConfiguration) || !strings.Contains(err.Error(), tc.says) || len(made) > 0 {
				t.Errorf("Setup = %v, %v: want ErrConfiguration that says %q", made, err, tc.says)
			}
		})
	}
	one.Kill()
	s := open(t, influx.Options{URL: one.URL, Database: "a"})
	defer closed(t, s)
	if _, err := s.Setup(t.Context()); !errors.Is(err, history.ErrUnavailable) {
		t.Errorf("Setup of a server that is down = %v: want ErrUnavailable", err)
	}
}

// A user of 1.8 who may not create finds a database that is there good enough.
func TestSetup_NeedsNoRightToMakeWhatIsThere(t *testing.T) {
	d := parttest.InfluxdWith(t, parttest.InfluxdOptions{Auth: true})
	d.Query(`CREATE USER nd WITH PASSWORD 'x'`)
	d.Query(`GRANT ALL ON "aovuon" TO nd`)
	s := open(t, influx.Options{URL: d.URL, Database: "aovuon", Username: "nd", Password: "x"})
	defer closed(t, s)
	if made, err := s.Setup(t.Context()); err != nil || len(made) > 0 {
		t.Errorf("Setup = %v, %v", made, err)
	}
	if err := s.Write(t.Context(), points(1)); err != nil {
		t.Error(err)
	}
	other := open(t, influx.Options{URL: d.URL, Database: "khác", Username: "nd", Password: "x"})
	defer closed(t, other)
	if _, err := other.Setup(t.Context()); !errors.Is(err, history.ErrConfiguration) {
		t.Errorf("Setup of a database that he may not make = %v: want ErrConfiguration", err)
	}
}

// 2.x: somebody mapped the database to another bucket: nothing is taken away from them.
func TestSetup_LeavesForeignMappingsAlone(t *testing.T) {
	m := imitate(t, false)
	o := influx.Options{URL: m.URL, Database: "aovuon", Bucket: "một", Org: orgName, Token: m.token}
	closed(t, setUp(t, o))
	o.Bucket = "hai"
	s := open(t, o)
	defer closed(t, s)
	made, err := s.Setup(t.Context())
	if !errors.Is(err, history.ErrConfiguration) || !strings.Contains(err.Error(), "another bucket") || !slices.Equal(made, []string{`bucket "hai", kept for ever`}) {
		t.Errorf("Setup = %v, %v", made, err)
	}
	// A server.db put back from an older copy names a generation that was replaced since: that one is made anew, and is the default again.
	o.Bucket, o.Policy = "một", "g1"
	next := setUp(t, o)
	defer closed(t, next)
	if err := next.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.Policy = ""
	if err := drop(t, o); err != nil {
		t.Fatal(err)
	}
	again := open(t, o)
	defer closed(t, again)
	if made, err := again.Setup(context.WithoutCancel(t.Context())); err != nil || len(made) != 2 {
		t.Errorf("Setup = %v, %v: want bucket and mapping", made, err)
	}
	if n := reads(t, o); n != 0 {
		t.Errorf("%d points", n)
	}
}

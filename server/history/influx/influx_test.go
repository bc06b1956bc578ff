package influx_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	_ "time/tzdata"

	"go.uber.org/goleak"

	"aovuon/server/history"
	"aovuon/server/history/historytest"
	"aovuon/server/history/influx"
	"aovuon/server/parttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, o influx.Options) *influx.Store {
	t.Helper()
	s, err := influx.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fresh returns a store on an empty database of its own.
func fresh(t testing.TB, o influx.Options, n int) *influx.Store {
	t.Helper()
	o.Database = fmt.Sprintf("thử \"nghiệm\" %d", n)
	return setUp(t, o)
}

func setUp(t testing.TB, o influx.Options) *influx.Store {
	t.Helper()
	s := open(t, o)
	if _, err := s.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore_KeepsTheContract(t *testing.T) {
	d := parttest.Influxd(t)
	dbs := map[history.Store]int{}
	o := influx.Options{URL: d.URL}
	historytest.Run(t, historytest.Engine{
		Open: func(t *testing.T) history.Store {
			s := fresh(t, o, len(dbs))
			dbs[s] = len(dbs)
			return s
		},
		Reopen: func(t *testing.T, closed history.Store) history.Store {
			o := o
			o.Database = fmt.Sprintf("thử \"nghiệm\" %d", dbs[closed])
			s := open(t, o)
			dbs[s] = dbs[closed]
			return s
		},
		Kill: d.Kill, Start: d.Start,
	})
}

// generations runs the contract with each store in a retention policy of its own, which is dropped afterwards.
func generations(t *testing.T, o influx.Options) {
	first := o
	first.Policy = ""
	s := setUp(t, first)
	defer closed(t, s)
	opened := map[history.Store]influx.Options{}
	begun := 0
	historytest.Run(t, historytest.Engine{
		Open: func(t *testing.T) history.Store {
			o := o
			begun++
			o.Policy = fmt.Sprintf("g%d", begun)
			s := setUp(t, o)
			opened[s] = o
			t.Cleanup(func() {
				s := open(t, o)
				defer closed(t, s)
				if err := s.Discard(context.WithoutCancel(t.Context())); err != nil {
					t.Error(err)
				}
			})
			return s
		},
		Reopen: func(t *testing.T, closed history.Store) history.Store {
			s := open(t, opened[closed])
			opened[s] = opened[closed]
			return s
		},
	})
}

func TestStore_KeepsTheContractWithUsersAndRetentionPolicies(t *testing.T) {
	if testing.Short() {
		t.Skip("once is enough for a short run")
	}
	d := parttest.InfluxdWith(t, parttest.InfluxdOptions{Auth: true})
	generations(t, influx.Options{URL: d.URL, Database: d.Database, Username: d.Username, Password: d.Password})
}

func TestStore_KeepsTheContractThroughTheAPIOf2(t *testing.T) {
	if testing.Short() {
		t.Skip("once is enough for a short run")
	}
	m := imitate(t, false)
	generations(t, influx.Options{URL: m.URL, Database: "aovuon", Bucket: "ao vườn", Org: orgName, Token: m.token})
}

func TestStore_KeepsTheContractThroughTheAPIOf3(t *testing.T) {
	if testing.Short() {
		t.Skip("once is enough for a short run")
	}
	m := imitate(t, true)
	generations(t, influx.Options{URL: m.URL, Database: "ao-vuon_1", Token: m.token})
}

// The contract on whatever InfluxDB the environment names. It works in retention policies g1, g2, … of the database, and drops each.
func TestStore_KeepsTheContractOnTheServerOfTheEnvironment(t *testing.T) {
	o := influx.Options{
		URL: os.Getenv("AOVUON_TEST_INFLUX_URL"), Token: os.Getenv("AOVUON_TEST_INFLUX_TOKEN"), Org: os.Getenv("AOVUON_TEST_INFLUX_ORG"),
		Bucket: os.Getenv("AOVUON_TEST_INFLUX_BUCKET"), Database: os.Getenv("AOVUON_TEST_INFLUX_BUCKET"),
		Username: os.Getenv("AOVUON_TEST_INFLUX_USERNAME"), Password: os.Getenv("AOVUON_TEST_INFLUX_PASSWORD"),
	}
	if o.URL == "" {
		t.Skip("AOVUON_TEST_INFLUX_URL names no server")
	}
	if o.Database == "" {
		o.Database, o.Bucket = "aovuontest", ""
	}
	generations(t, o)
}

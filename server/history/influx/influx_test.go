package influx_test

import (
	"fmt"
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
	s := open(t, o)
	if err := s.CreateDatabase(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore_KeepsTheContract(t *testing.T) {
	for _, auth := range []bool{false, true} {
		t.Run(fmt.Sprintf("auth=%t", auth), func(t *testing.T) {
			if auth && testing.Short() {
				t.Skip("once is enough for a short run")
			}
			d := parttest.InfluxdWith(t, parttest.InfluxdOptions{Auth: auth})
			dbs := map[history.Store]int{}
			o := influx.Options{URL: d.URL, Username: d.Username, Password: d.Password}
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
		})
	}
}

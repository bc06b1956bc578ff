package sqldb_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/measure"
	"aovuon/server/calibration"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

func entry(key string, position int64, at time.Time) calibration.Entry {
	return calibration.Entry{
		Gateway: "gw-one", Key: key, Position: position, Time: at, Boot: "0000000000000001", Uptime: time.Hour, Received: noon,
		Body: "{\"a\":\"\\u0000\xff" + key, Sensor: "ao1-ph", Quantity: measure.PH,
	}
}

func TestCalibrations_OnceInOrderAndInForceAtATime(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		// A backlog: the older ones arrive after a newer one.
		a, b, c := entry("a", 3, noon.Add(-48*time.Hour)), entry("b", 1, noon), entry("c", 2, noon.Add(-24*time.Hour))
		for range 2 {
			if err := db.SaveCalibrations(ctx, []calibration.Entry{b, c, a}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := db.Calibrations(ctx, "gw-one", "ao1-ph", 10)
		if d := cmp.Diff([]calibration.Entry{b, c, a}, got); d != "" || err != nil {
			t.Errorf("%v %s", err, d)
		}
		for _, tc := range []struct {
			at   time.Time
			want string
		}{{noon.Add(-72 * time.Hour), ""}, {a.Time, "a"}, {noon.Add(-time.Second), "c"}, {noon.Add(time.Hour), "b"}} {
			e, ok, err := db.CalibrationAt(ctx, "gw-one", "ao1-ph", measure.PH, tc.at)
			if err != nil || ok != (tc.want != "") || e.Key != tc.want {
				t.Errorf("at %v: %q %v %v; want %q", tc.at, e.Key, ok, err, tc.want)
			}
		}
		if _, ok, err := db.CalibrationAt(ctx, "gw-one", "ao1-ph", measure.ORP, noon); ok || err != nil {
			t.Errorf("another quantity: %v %v", ok, err)
		}
		if err := db.ForgetCalibrations(ctx); err != nil {
			t.Fatal(err)
		}
		if got, err := db.Calibrations(ctx, "gw-one", "ao1-ph", 10); len(got) != 0 || err != nil {
			t.Errorf("%v %v", got, err)
		}
	})
}

func TestCalibrations_AreDatedOnceTheirBootIs(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		undated, dated := entry("u", 1, time.Time{}), entry("d", 2, noon)
		if err := db.SaveCalibrations(ctx, []calibration.Entry{undated, dated}); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := db.CalibrationAt(ctx, "gw-one", "ao1-ph", measure.PH, noon.Add(-time.Second)); ok || err != nil {
			t.Errorf("an undated one is in force: %v", err)
		}
		for _, boot := range []string{"ffff", undated.Boot} {
			if err := db.DateCalibrations(ctx, "gw-one", boot, noon.Add(-5*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		undated.Time = noon.Add(-4 * time.Hour)
		got, err := db.Calibrations(ctx, "gw-one", "ao1-ph", 10)
		if d := cmp.Diff([]calibration.Entry{dated, undated}, got); d != "" || err != nil {
			t.Errorf("%v %s", err, d)
		}
	})
}

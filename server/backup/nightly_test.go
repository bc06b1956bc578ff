package backup_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"aovuon/server/backup"
)

var zone = time.FixedZone("+07", 7*60*60)

func TestKeep_KeepsTheNewestOfDaysAndWeeks(t *testing.T) {
	var list []backup.Archive
	for day := range 60 { // two a day, the newest first
		for _, hour := range []int{20, 2} {
			list = append(list, backup.Archive{Made: time.Date(2026, 11, 24-day, hour, 30, 0, 0, zone)})
		}
	}
	gone := backup.Keep{Daily: 7, Weekly: 5}.Superfluous(list, zone)
	var stay []string
	for _, a := range list {
		if !slices.Contains(gone, a) {
			stay = append(stay, a.Made.Format("0102-15"))
		}
	}
	want := "[1124-20 1123-20 1122-20 1121-20 1120-20 1119-20 1118-20 1115-20 1108-20 1101-20]"
	if fmt.Sprint(stay) != want {
		t.Errorf("%v stay, want %v", stay, want)
	}
	if gone := (backup.Keep{}).Superfluous(list, zone); len(gone) != len(list)-1 {
		t.Errorf("%d of %d go: the newest must stay", len(gone), len(list))
	}
}

func TestArchives_AreThoseOfTheServer(t *testing.T) {
	dir := t.TempDir()
	older, newer := backup.Name("htx", noon, true), backup.Name("htx", noon.Add(time.Hour), false)
	for _, name := range []string{older, newer, backup.Name("htx-khac", noon, true), "aovuon-htx-x.tar.zst", "." + older + ".part", "photo.jpg"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("12"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list, err := backup.Archives(dir, "htx")
	if err != nil || len(list) != 2 || filepath.Base(list[0].Path) != newer || !list[1].Made.Equal(noon) || list[1].Size != 2 {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := backup.Archives(filepath.Join(dir, "none"), "htx"); err != nil || len(list) > 0 {
		t.Errorf("no folder: %v, %v", list, err)
	}
}

// nights runs a Nightly for so long and returns when it made backups, and its state.
func nights(t *testing.T, file string, d time.Duration, result func(n int) error) (made []string, s backup.State) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	n := &backup.Nightly{At: backup.Clock{Hour: 2, Minute: 30}, Zone: zone, File: file, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	n.Make = func(context.Context) (backup.Done, error) {
		made = append(made, time.Now().In(zone).Format("02-15:04"))
		return backup.Done{File: file, Made: time.Now(), Drill: &backup.Drill{}}, result(len(made))
	}
	if err := n.Run(ctx); err != nil {
		t.Error(err)
	}
	return made, n.State()
}

func TestNightly_MakesOneADayAndTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it is 1 January 2000, 07:00 in Viet Nam
		file := filepath.Join(t.TempDir(), "state")
		made, s := nights(t, file, 48*time.Hour, func(n int) error {
			if n == 2 {
				return errors.New("no room")
			}
			return nil
		})
		if want := "[01-07:00 02-02:30 02-03:30 03-02:30]"; fmt.Sprint(made) != want {
			t.Errorf("%v, want %v: at once, at 02:30, again after an hour", made, want)
		}
		if s.Trouble(time.Now()) != backup.Fine {
			t.Errorf("trouble %q", s.Trouble(time.Now()))
		}
		// Started again: what was made is known; a night that was missed is made up for.
		if made, _ := nights(t, file, time.Hour, func(int) error { return nil }); len(made) > 0 {
			t.Errorf("again: %v", made)
		}
		time.Sleep(24 * time.Hour)
		if made, _ := nights(t, file, time.Hour, func(int) error { return nil }); len(made) != 1 {
			t.Errorf("after a night that was missed: %v", made)
		}
	})
}

func TestState_SaysWhenSomebodyIsNeeded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	good := backup.State{Good: &backup.Done{File: file, Made: noon, Drill: &backup.Drill{}}}
	changed := backup.State{Good: &backup.Done{File: file, Made: noon, Drill: &backup.Drill{Findings: []string{"x"}}}}
	for name, c := range map[string]struct {
		s    backup.State
		at   time.Time
		want backup.Trouble
	}{
		"never":    {backup.State{}, noon, backup.Never},
		"fine":     {good, noon.Add(36 * time.Hour), backup.Fine},
		"late":     {good, noon.Add(36*time.Hour + time.Second), backup.Late},
		"findings": {changed, noon, backup.Findings},
		"gone":     {backup.State{Good: &backup.Done{File: file + "x", Made: noon}}, noon, backup.Gone},
	} {
		if got := c.s.Trouble(c.at); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if d := (&backup.Drill{Findings: []string{"x"}}); d.OK() {
		t.Error("a drill with findings passes")
	}
}

// However the nights fall, what was erased is gone from the kept archives after Keep.Days.
func TestKeep_DaysBoundWhatOldArchivesHold(t *testing.T) {
	for _, k := range []backup.Keep{{Daily: 7, Weekly: 5}, {Daily: 1}, {Daily: 30, Weekly: 2}, {Daily: 2, Weekly: 1}} {
		for start := range 7 {
			var list []backup.Archive
			for night := range 120 {
				at := noon.AddDate(0, 0, start+night)
				list = append([]backup.Archive{{Path: at.String(), Made: at}}, list...)
				gone := k.Superfluous(list, time.UTC)
				list = slices.DeleteFunc(list, func(a backup.Archive) bool { return slices.Contains(gone, a) })
				if oldest := list[len(list)-1].Made; at.Sub(oldest) > time.Duration(k.Days())*24*time.Hour {
					t.Fatalf("%+v, night %d: the oldest is of %s", k, night, oldest)
				}
			}
		}
	}
}

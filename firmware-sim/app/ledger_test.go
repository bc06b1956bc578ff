package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aovuon/firmware-sim/field"
)

// kept is a field whose world begins on 1 March 2026.
func kept(t *testing.T, more string) (path string) {
	t.Helper()
	return write(t, filepath.Join(t.TempDir(), "field.yaml"), strings.Replace(field.Sample(), "# begin: 2026-01-01", "begin: 2026-03-01", 1)+more)
}

func TestLedger_TellsTheTruthAgain(t *testing.T) {
	path := kept(t, "")
	args := []string{"ledger", "truth", "-c", path, "--place", "ao1", "--quantity", "dissolved_oxygen", "--from", "2026-03-05", "--to", "2026-03-06", "--every", "1h"}
	out, complaint, status := run(t, args...)
	again, _, _ := run(t, args...)
	if lines := strings.Split(strings.TrimSpace(out), "\n"); status != 0 || len(lines) != 24 || !strings.HasPrefix(lines[0], "2026-03-04T17:00:00Z\tao1\tdissolved_oxygen\t") || out != again {
		t.Fatalf("status %d %s\n%s", status, complaint, out)
	}
	out, complaint, status = run(t, append(args, "--json")...)
	var v struct {
		Place string
		Value float64
	}
	if err := json.Unmarshal([]byte(strings.SplitN(out, "\n", 2)[0]), &v); err != nil || status != 0 || v.Place != "ao1" || v.Value <= 0 {
		t.Errorf("%+v, %v, %s", v, err, complaint)
	}
	// What was done stands in the journal, and is true from then on.
	before := hoursOf(t, path)
	write(t, filepath.Join(filepath.Dir(path), "actions.jsonl"), `{"at":"2026-03-04T17:00:00Z","place":"ao1","kind":"aerate","amount":2,"for":"24h"}`+"\n")
	if after := hoursOf(t, path); after == before {
		t.Errorf("an aerator of two changes an hour changes nothing: %s", after)
	}
}

func hoursOf(t *testing.T, path string) string {
	t.Helper()
	out, complaint, status := run(t, "ledger", "hours", "-c", path, "--place", "ao1", "--from", "2026-03-05", "--to", "2026-03-06", "--below", "7.5")
	if status != 0 || !strings.HasPrefix(out, "ao1 ") {
		t.Fatalf("%s%s", out, complaint)
	}
	return out
}

func TestLedger_RefusesWhatCannotBe(t *testing.T) {
	path, quick := kept(t, ""), kept(t, "")
	raw, err := os.ReadFile(quick)
	if err != nil {
		t.Fatal(err)
	}
	write(t, quick, strings.Replace(string(raw), "speed: 1 ", "speed: 60 ", 1))
	svg := filepath.Join(t.TempDir(), "week.svg")
	for name, tc := range map[string]struct {
		args []string
		says string
	}{
		"no place":        {[]string{"ledger", "truth", "-c", path, "--place", "ao9"}, "want one of ao1"},
		"no quantity":     {[]string{"ledger", "truth", "-c", path, "--place", "ao1", "--quantity", "soil_moisture"}, "want one of water_temperature"},
		"backwards":       {[]string{"ledger", "truth", "-c", path, "--from", "2026-03-06", "--to", "2026-03-05"}, "want --from before --to"},
		"before it began": {[]string{"ledger", "truth", "-c", path, "--from", "2026-02-01", "--to", "2026-03-05"}, "earlier begin"},
		"in 2100":         {[]string{"ledger", "truth", "-c", path, "--from", "2100-02-01", "--to", "2100-02-02"}, "more than 50 years after"},
		"a limit of none": {[]string{"ledger", "hours", "-c", path, "--below", "NaN"}, "want a number"},
		"a week in 2100":  {[]string{"week", "-c", path, "--place", "ao1", "--from", "2100-02-01", "-o", svg}, "more than 50 years after"},
		"when":            {[]string{"ledger", "truth", "-c", path, "--from", "soon"}, "or a day such as"},
		"no limits":       {[]string{"ledger", "hours", "-c", path, "--quantity", "turbidity"}, "want --below"},
		"limits crossed":  {[]string{"ledger", "hours", "-c", path, "--below", "9", "--above", "4"}, "the lower limit and the upper"},
		"too quick":       {[]string{"ledger", "compare", "-c", quick, "--server", "http://127.0.0.1:1"}, "speed: 1"},
		"nobody there":    {[]string{"ledger", "compare", "-c", path, "--server", "http://127.0.0.1:1"}, "is the server running"},
		"demand of what":  {[]string{"ledger", "compare", "-c", path, "--server", "http://127.0.0.1:1", "--max-mae", "love=1"}, "want one such as"},
		"bad limits":      {[]string{"ledger", "compare", "-c", path, "--server", "http://127.0.0.1:1", "--limits", "ph=9"}, "want LOW..HIGH"},
		"bad coverage":    {[]string{"ledger", "compare", "-c", path, "--server", "http://127.0.0.1:1", "--min-coverage", "2"}, "want 0 to 1"},
		"week of nothing": {[]string{"week", "-c", path, "--place", "ao9", "-o", svg}, "want one of ao1"},
		"week of when":    {[]string{"week", "-c", path, "--from", "soon", "-o", svg}, "want a day"},
	} {
		if _, complaint, status := run(t, tc.args...); status != 1 || !strings.Contains(complaint, tc.says) {
			t.Errorf("%s: status %d, %q; want %q", name, status, complaint, tc.says)
		}
	}
}

// A product that shows nothing but one value, which is wrong: status 1 says so, and only when it is asked for.
func TestLedgerCompare_HasAStatusForScripts(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "field.yaml"), field.Sample())
	step := time.Now().Truncate(10 * time.Minute).Add(-time.Hour).UTC().Format(time.RFC3339)
	mux := http.NewServeMux()
	say := func(w http.ResponseWriter, format string, args ...any) {
		if _, err := fmt.Fprintf(w, format, args...); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("/api/places", func(w http.ResponseWriter, _ *http.Request) { say(w, `{"places":[{"code":"AO-01"}]}`) })
	mux.HandleFunc("/api/series", func(w http.ResponseWriter, _ *http.Request) {
		say(w, `{"step_s":600,"series":[{"quantity":"water_temperature","sensor":"ao1-temp","steps":[{"start":%q,"n":10,"mean":99}]}]}`, step)
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	args := []string{"ledger", "compare", "-c", path, "--server", srv.URL}
	out, complaint, status := run(t, args...)
	if status != 0 || !strings.Contains(out, "missing: ao1-do dissolved_oxygen") {
		t.Errorf("status %d %s\n%s", status, complaint, out)
	}
	if _, complaint, status = run(t, append(args, "--max-mae", "water_temperature=50")...); status != 1 || !strings.Contains(complaint, "ao1-temp water_temperature is off by") {
		t.Errorf("status %d %s", status, complaint)
	}
	if _, complaint, status = run(t, append(args, "--complete")...); status != 1 || !strings.Contains(complaint, "ao2-do dissolved_oxygen is missing") {
		t.Errorf("status %d %s", status, complaint)
	}
	out, _, _ = run(t, append(args, "--json")...)
	var r struct {
		Results []struct{ Errors struct{ N int } }
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Results) != 1 || r.Results[0].Errors.N != 1 {
		t.Errorf("%v: %s", err, out)
	}
	// Where nothing is counted, nothing is right.
	none := write(t, filepath.Join(t.TempDir(), "ledger.tsv"), fmt.Sprintf("%d\tao1-temp\twater_temperature\t25\n", time.Now().Add(-time.Minute).UnixMilli()))
	from := time.Now().Add(-5 * time.Minute).Format(time.RFC3339)
	if _, complaint, status = run(t, "ledger", "count", "-c", path, "--server", srv.URL, "--ledger", none, "--from", from, "--exact"); status != 1 || !strings.Contains(complaint, "nothing to count") {
		t.Errorf("status %d %s", status, complaint)
	}
	if _, complaint, status = run(t, "ledger", "count", "-c", path, "--server", srv.URL); status != 1 || !strings.Contains(complaint, "write ledger: into the field file") {
		t.Errorf("status %d %s", status, complaint)
	}
}

func TestWeek_IsDrawnIntoAFile(t *testing.T) {
	path, svg := kept(t, ""), filepath.Join(t.TempDir(), "week.svg")
	if _, complaint, status := run(t, "week", "-c", path, "--place", "khoai1", "--from", "2026-03-02", "-o", svg); status != 0 {
		t.Fatal(complaint)
	}
	raw, err := os.ReadFile(svg)
	if err != nil || !strings.Contains(string(raw), "khoai1, từ 02/03/2026 đến 08/03/2026") {
		t.Errorf("%v: %.300s", err, raw)
	}
}

// Ctrl-C ends a table that nobody reads on.
func TestLedger_EndsWhenItIsTold(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "firmware-sim", "ledger", "truth", "-c", kept(t, ""), "--from", "2026-03-02", "--to", "2026-03-09", "--every", "1s")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var how *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &how) || how.ExitCode() != -1 {
		t.Errorf("it ended with %v, want the signal", err)
	}
}

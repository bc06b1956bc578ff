package grafana_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/deploy/grafana"
	"aovuon/server/history"
	"aovuon/server/history/influx"
	"aovuon/server/parttest"
)

type source struct{ Type, UID string }

type target struct {
	RefID, Expr, Query, ResultFormat string
	RawQuery                         bool
	Datasource                       source
}

type panel struct {
	ID          int
	Type, Title string
	GridPos     struct{ X, Y, W, H int }
	Datasource  source
	Targets     []target
	Options     map[string]any
}

type dashboard struct {
	UID, Title, Timezone string
	SchemaVersion        int
	Panels               []panel
	Templating           struct {
		List []struct{ Name, Type, Query string }
	}
}

func dashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	out := map[string]dashboard{}
	names, err := fs.Glob(grafana.Files(), "dashboards/*.json")
	if err != nil || len(names) != 2 {
		t.Fatalf("%v, %v", names, err)
	}
	for _, name := range names {
		raw, err := fs.ReadFile(grafana.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(raw, &d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[d.UID] = d
	}
	return out
}

func TestDashboards_AreWhatGrafanaTakes(t *testing.T) {
	for uid, d := range dashboards(t) {
		if uid == "" || d.Title == "" || d.SchemaVersion < 36 || d.Timezone != "Asia/Ho_Chi_Minh" || d.Templating.List[0].Name != "source" || d.Templating.List[0].Type != "datasource" {
			t.Errorf("%s: %+v", uid, d.Templating)
		}
		kind := d.Templating.List[0].Query
		ids, taken := map[int]bool{}, map[[2]int]string{}
		for _, p := range d.Panels {
			if p.ID == 0 || ids[p.ID] {
				t.Errorf("%s: %s: id %d is another's", uid, p.Title, p.ID)
			}
			ids[p.ID] = true
			if p.GridPos.W <= 0 || p.GridPos.H <= 0 || p.GridPos.X+p.GridPos.W > 24 {
				t.Errorf("%s: %s does not fit: %+v", uid, p.Title, p.GridPos)
			}
			for x := range p.GridPos.W {
				for y := range p.GridPos.H {
					at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
					if other, ok := taken[at]; ok {
						t.Fatalf("%s: %s lies on %s", uid, p.Title, other)
					}
					taken[at] = p.Title
				}
			}
			if p.Type == "row" || p.Type == "text" {
				continue
			}
			if want := (source{kind, "${source}"}); p.Datasource != want || len(p.Targets) == 0 || p.Title == "" {
				t.Errorf("%s: %s: %+v", uid, p.Title, p.Datasource)
			}
			refs := map[string]bool{}
			for _, q := range p.Targets {
				if q.RefID == "" || refs[q.RefID] || q.Datasource != p.Datasource || (q.Expr == "") == (q.Query == "") || q.Query != "" && !q.RawQuery {
					t.Errorf("%s: %s: %+v", uid, p.Title, q)
				}
				refs[q.RefID] = true
			}
		}
	}
}

// written writes the files to a folder of the test's.
func written(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	list, err := grafana.Write(dir)
	if err != nil || len(list) < 7 {
		t.Fatalf("%v, %v", list, err)
	}
	return dir
}

func promtool(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), parttest.Tool(t, "promtool"), args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestDashboards_AskInPromQL(t *testing.T) {
	dir := written(t)
	var rules strings.Builder
	rules.WriteString("groups:\n  - name: dashboards\n    rules:\n")
	n := 0
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				if q.Expr != "" {
					n++
					fmt.Fprintf(&rules, "      - record: panel:%d\n        expr: %q\n", n, strings.ReplaceAll(q.Expr, "$__rate_interval", "1m"))
				}
			}
		}
	}
	if n < 50 {
		t.Errorf("%d expressions", n)
	}
	if err := os.WriteFile(filepath.Join(dir, "panels.yml"), []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, dir, "check", "rules", "panels.yml")
	promtool(t, dir, "check", "config", "prometheus.yml")
}

func TestAlerts_FireWhereSomebodyMustAct(t *testing.T) {
	dir := written(t)
	raw, err := os.ReadFile("testdata/alerts_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "alerts", "alerts_test.yml"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, filepath.Join(dir, "alerts"), "test", "rules", "alerts_test.yml")
}

// Each query of the readings is answered by a real InfluxDB, with a series of each measurement it names.
func TestDashboards_AskInInfluxQL(t *testing.T) {
	server := parttest.Influxd(t)
	store, err := influx.New(influx.Options{URL: server.URL, Database: server.Database})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	now := time.Now().Truncate(time.Minute)
	var points []history.Point
	for _, q := range measure.Quantities() {
		for i := range 30 {
			p := history.Point{Series: history.Series{Place: "AO1", Quantity: q, Gateway: "gw-ao", Sensor: "s-1"}, Time: now.Add(-time.Duration(i) * time.Minute), Value: 1}
			if i == 3 {
				p.Value, p.Quality = 0, measure.Fault
			}
			points = append(points, p)
		}
	}
	if err := store.Write(t.Context(), points); err != nil {
		t.Fatal(err)
	}
	ask := func(what, q string) {
		answer := server.Query(strings.NewReplacer("$timeFilter", "time > now() - 2h", "$__interval", "10m", "$place", ".*").Replace(q))
		var a struct {
			Results []struct {
				Error  string
				Series []struct {
					Name   string
					Tags   map[string]string
					Values [][]any
				}
			}
		}
		if err := json.Unmarshal([]byte(answer), &a); err != nil || len(a.Results) != 1 || a.Results[0].Error != "" {
			t.Errorf("%s: %s: %s", what, q, answer)
			return
		}
		for _, m := range regexp.MustCompile(`FROM ((?:"\w+",?)+)`).FindAllStringSubmatch(q, -1) {
			for name := range strings.SplitSeq(m[1], ",") {
				name = strings.Trim(name, `"`)
				if _, known := measure.Quantity(name).Info(); !known {
					t.Errorf("%s: no such measurement: %s", what, name)
				}
			}
		}
		if len(a.Results[0].Series) == 0 || len(a.Results[0].Series[0].Values) == 0 {
			t.Errorf("%s: nothing: %s", what, q)
		}
	}
	d := dashboards(t)["aovuon-readings"]
	asked := 0
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			ask(p.Title, q.Query)
			asked++
		}
	}
	for _, v := range d.Templating.List {
		if v.Type == "query" {
			ask(v.Name, v.Query)
		}
	}
	if asked < 15 {
		t.Errorf("%d queries", asked)
	}
}

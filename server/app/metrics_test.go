package app_test

import (
	"bufio"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"aovuon/server/deploy/grafana"
	"aovuon/server/parttest"
)

// families are the metrics of the product that a text of metrics has, each with the number of its series.
func families(text string) map[string]int {
	out := map[string]int{}
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	name := regexp.MustCompile(`^(aovuon_[a-z0-9_]+)[{ ]`)
	for lines.Scan() {
		if m := name.FindStringSubmatch(lines.Text()); m != nil {
			out[m[1]]++
		}
	}
	return out
}

// wanted are metrics that an operator looks for at night; alerts and dashboards name them.
var wanted = strings.Fields(`
	aovuon_build_info aovuon_started_timestamp_seconds aovuon_figures_ok
	aovuon_ingest_batches_total aovuon_ingest_readings_total aovuon_ingest_refused_total aovuon_ingest_commit_seconds_count aovuon_ingest_batch_seconds_count
	aovuon_ingest_queue_messages aovuon_ingest_queue_limit aovuon_ingest_stuck_seconds aovuon_ingest_receipts_total aovuon_ingest_waiting_bytes
	aovuon_log_end_position aovuon_log_newest_timestamp_seconds aovuon_undated_readings
	aovuon_projection_position aovuon_projection_behind_batches aovuon_projection_behind_seconds aovuon_projection_failing
	aovuon_history_write_seconds_count aovuon_history_points_total aovuon_history_errors_total
	aovuon_broker_connected aovuon_broker_connections aovuon_gateways
	aovuon_ledger_leaves aovuon_ledger_head_leaves aovuon_ledger_head_timestamp_seconds aovuon_ledger_fault
	aovuon_alarm_open aovuon_alarm_blind aovuon_messages_waiting aovuon_backup_configured aovuon_disk_writable aovuon_disk_free_bytes aovuon_file_bytes
	aovuon_db_connections aovuon_db_waits_total aovuon_db_answer_seconds
	aovuon_http_requests_total aovuon_http_request_seconds_count aovuon_http_open_requests`)

// drawn are the metrics that dashboards and alerts name.
func drawn(t *testing.T) (names []string) {
	t.Helper()
	for _, path := range []string{"dashboards/aovuon-server.json", "alerts/aovuon.rules.yml"} {
		raw, err := fs.ReadFile(grafana.Files(), path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(string(raw), "\n") {
			if strings.Contains(line, "expr") {
				names = append(names, regexp.MustCompile(`\b(aovuon|process|go)_[a-z_]+`).FindAllString(line, -1)...)
			}
		}
	}
	if len(names) < 60 {
		t.Fatalf("%d names", len(names))
	}
	return names
}

func TestMetrics_AreWholeAndWellFormed(t *testing.T) {
	p := newProcess(t, "{ engine: sqlite }", "")
	p.start()
	p.deliverAll(p.fleetOf(20, "gw-so"))()
	for _, path := range []string{"/", "/system", "/no-such-page", "/p/AB12", "/static/x/y", "/sign-in", "/01/09521234010036/10/X"} {
		if _, _, err := p.get(path); err != nil {
			t.Fatal(err)
		}
	}
	parttest.Await(t, "the history", func() bool { return p.metric(`aovuon_projection_behind_batches{projection="history"}`) == 0 })
	_, text, err := p.get("/metrics")
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		if strings.HasPrefix(problem.Metric, "aovuon_") {
			t.Errorf("%s: %s", problem.Metric, problem.Text)
		}
	}
	have := families(text)
	for _, name := range wanted {
		if have[name] == 0 {
			t.Errorf("%s is missing", name)
		}
	}
	source, err := os.ReadFile("figures.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range drawn(t) { // what depends on the configuration stands in the source at least
		base := regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(name, "")
		if have[name] == 0 && !strings.Contains(text, "\n# TYPE "+name+" ") && !strings.Contains(text, "\n# TYPE "+base+" ") && !strings.Contains(string(source), `"`+strings.TrimPrefix(name, "aovuon_")+`"`) {
			t.Errorf("a dashboard or an alert names %s, which nobody has", name)
		}
	}
	for _, part := range regexp.MustCompile(`aovuon_figures_ok\{part="(\w+)"\} 0`).FindAllStringSubmatch(text, -1) {
		t.Errorf("the figures of %s could not be looked up", part[1])
	}
	for series, least := range map[string]float64{
		"aovuon_ingest_batches_total": 20, "aovuon_history_points_total": 20, `aovuon_gateways{state="online"}`: 1, `aovuon_http_requests_total{method="GET",route="GET /system",status="200"}`: 1,
	} {
		if got := p.metric(series); got < least {
			t.Errorf("%s: %v, want at least %v", series, got, least)
		}
	}
	p.stop()
}

// What strangers write must neither stand in a label nor make new ones.
func TestMetrics_NobodyMakesLabels(t *testing.T) {
	p := newProcess(t, "{ engine: sqlite }", "")
	p.start()
	ask := func(method, path string) {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.web+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Fatal(err)
		}
	}
	series := func() (n int, text string) {
		_, text, err := p.get("/metrics")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(text, "\naovuon_http_") - strings.Count(text, `status="429"`), text // who asks too much is refused: once a route
	}
	many := []string{"/", "/p/", "/01/", "/t/", "/qr/", "/static/a/", "/gateways/", "/places/", "/picture/"}
	for _, m := range []string{"GET", "PURGE"} {
		for _, dir := range many {
			ask(m, dir+"nguyen-van-a")
		}
	}
	before, _ := series()
	for i := range 40 {
		for _, dir := range many {
			ask("GET", dir+"nguyen-van-a"+strings.Repeat("x", i))
			ask("PURGE"+strings.Repeat("X", i), dir+"nguyen-van-a")
		}
	}
	after, text := series()
	if after != before {
		t.Errorf("%d series became %d", before, after)
	}
	if strings.Contains(text, "nguyen") || strings.Contains(text, "PURGE") {
		t.Error("what a stranger wrote stands in a label")
	}
	p.stop()
}

func TestMetrics_PromtoolTakesThem(t *testing.T) {
	tool := parttest.Tool(t, "promtool")
	p := newProcess(t, "{ engine: sqlite }", "")
	p.start()
	_, text, err := p.get("/metrics")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tool, "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	p.stop()
}

func TestReadyz_SaysWhichPartIsNot(t *testing.T) {
	p := newProcess(t, "{ engine: sqlite }", "")
	p.start()
	code, body, err := p.get("/readyz")
	if err != nil || code != http.StatusOK || strings.Contains(body, "not ready") || strings.Count(body, ": ok\n") != 6 {
		t.Errorf("ready: %d %q %v", code, body, err)
	}
	p.stop()
	// The broker is outside, and nobody is there.
	p = newProcess(t, "{ engine: sqlite }", "{ outside: { url: tcp://"+freePort(t)+", group: aovuon } }")
	p.start()
	code, body, err = p.get("/readyz")
	if err != nil || code != http.StatusServiceUnavailable || !strings.Contains(body, "broker: not ready\n") || !strings.Contains(body, "database: ok\n") {
		t.Errorf("without a broker: %d %q %v", code, body, err)
	}
	if code, _, err := p.get("/healthz"); err != nil || code != http.StatusOK {
		t.Errorf("healthy all the same: %d %v", code, err)
	}
	p.stop()
}

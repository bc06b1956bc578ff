package export_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/measure"
	"aovuon/server/export"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/history/historytest"
	"aovuon/server/parttest"
)

// shelf is a history in memory.
type shelf map[history.Series][]history.Point

// Rollups implements export.History: none are kept.
func (shelf) Rollups(_ context.Context, _ history.Series, _ history.Span, from, to time.Time) ([]history.Rollup, error) {
	return historytest.Unrolled(from, to), nil
}

// thinned is a shelf from which the readings of one series before noon were let go.
type thinned struct {
	shelf
	of history.Series
}

// Rollups implements export.History.
func (h thinned) Rollups(_ context.Context, s history.Series, _ history.Span, from, to time.Time) (out []history.Rollup, err error) {
	for ; from.Before(to); from = from.Add(time.Hour) {
		out = append(out, history.Rollup{Summary: history.Summary{From: from, To: from.Add(time.Hour)}, Gone: s == h.of && from.Before(noon)})
	}
	return out, nil
}

// Each implements export.History.
func (h shelf) Each(_ context.Context, s history.Series, from, to time.Time, f func(history.Point) error) error {
	for _, p := range h[s] {
		if p.Series = s; p.Time.Before(from) || !p.Time.Before(to) {
			continue
		}
		if err := f(p); err != nil {
			return err
		}
	}
	return nil
}

var (
	oxygen = history.Series{Place: "AO1", Quantity: measure.DissolvedOxygen, Gateway: "gw-ao", Sensor: "ao1-do"}
	acid   = history.Series{Place: "AO1", Quantity: measure.PH, Gateway: "in-lora", Sensor: "ph-7"}
	soil   = history.Series{Place: "KT2", Quantity: measure.SoilMoisture, Gateway: "gw-ao", Sensor: "kt2"}
	noon   = time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
)

func some() shelf {
	return shelf{
		oxygen: {
			{Time: noon.Add(-time.Minute), Value: 1},
			{Time: noon, Value: 6.02},
			{Time: noon.Add(time.Minute), Quality: measure.Fault},
			{Time: noon.Add(90*time.Second + 5*time.Millisecond), Value: 99, Quality: measure.OutOfRange},
			{Time: noon.Add(time.Hour), Value: 1},
		},
		acid: {{Time: noon.Add(time.Second), Value: 7.25, Quality: measure.Uncalibrated}},
		soil: {{Time: noon.Add(2 * time.Second), Value: 1e-7, Quality: measure.Suspect}},
	}
}

func order() export.Order {
	return export.Order{
		Series: []history.Series{soil, acid, oxygen}, From: noon, To: noon.Add(time.Hour), Signs: func(gw string) bool { return !strings.HasPrefix(gw, "in-") },
	}
}

// golden is what some are as CSV: the file that other programs rely on.
const golden = `time,place,quantity,unit,value,quality,gateway,sensor,signed
2026-11-24T12:00:00.000+07:00,AO1,dissolved_oxygen,mg/L,6.02,good,gw-ao,ao1-do,true
2026-11-24T12:01:00.000+07:00,AO1,dissolved_oxygen,mg/L,,fault,gw-ao,ao1-do,true
2026-11-24T12:01:30.005+07:00,AO1,dissolved_oxygen,mg/L,99,out-of-range,gw-ao,ao1-do,true
2026-11-24T12:00:01.000+07:00,AO1,ph,,7.25,uncalibrated,in-lora,ph-7,false
2026-11-24T12:00:02.000+07:00,KT2,soil_moisture,%,1e-07,suspect,gw-ao,kt2,true
`

func TestCSV_IsTheFileOthersRelyOn(t *testing.T) {
	var b bytes.Buffer
	table, err := export.NewCSV(&b, farm.Time())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := export.Write(t.Context(), some(), order(), table)
	if err = errors.Join(err, table.Close()); err != nil || rows != 5 {
		t.Fatalf("%d rows, %v", rows, err)
	}
	if diff := cmp.Diff(golden, b.String()); diff != "" {
		t.Error(diff)
	}
}

// read has a reader that is not ours read a Parquet file.
func read(t *testing.T, path string) (out struct {
	Schema []struct {
		Name, Type, Logical string
		Optional            bool
	}
	Notes  map[string]string
	Groups []int
	Rows   []map[string]any
},
) {
	t.Helper()
	node := parttest.Tool(t, "node")
	script, err := filepath.Abs("testdata/read.mjs")
	if err != nil {
		t.Fatal(err)
	}
	reader, err := filepath.Abs("../../node_modules/hyparquet/src/node.js")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(reader); err != nil {
		parttest.Missing(t, "hyparquet", "npm ci")
	}
	cmd := exec.CommandContext(t.Context(), node, script, reader, path)
	cmd.Stderr = os.Stderr
	raw, err := cmd.Output()
	if err != nil {
		t.Fatalf("the other reader: %v", err)
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestParquet_IsReadByAnotherReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "readings.parquet")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	table := export.NewParquet(f, export.About{From: noon, To: noon.Add(time.Hour), Zone: farm.Time()})
	_, err = export.Write(t.Context(), some(), order(), table)
	if err = errors.Join(err, table.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	got := read(t, path)
	columns := []string{}
	for _, c := range got.Schema {
		columns = append(columns, c.Name)
		if c.Optional != (c.Name == "value") {
			t.Errorf("%s: optional is %v", c.Name, c.Optional)
		}
	}
	if diff := cmp.Diff(export.Columns(), columns); diff != "" {
		t.Error(diff)
	}
	if c := got.Schema[0]; c.Type != "INT64" || c.Logical != "TIMESTAMP" {
		t.Errorf("time is %+v", c)
	}
	if got.Notes["aovuon.format"] != "aovuon/readings/1" || got.Notes["aovuon.zone"] != "Asia/Ho_Chi_Minh" || got.Notes["aovuon.from"] != "2026-11-24T12:00:00.000+07:00" {
		t.Errorf("notes: %v", got.Notes)
	}
	want := []map[string]any{
		{"time": "2026-11-24T05:00:00.000Z", "place": "AO1", "quantity": "dissolved_oxygen", "unit": "mg/L", "value": 6.02, "quality": "good", "gateway": "gw-ao", "sensor": "ao1-do", "signed": true},
		{"time": "2026-11-24T05:01:00.000Z", "place": "AO1", "quantity": "dissolved_oxygen", "unit": "mg/L", "value": nil, "quality": "fault", "gateway": "gw-ao", "sensor": "ao1-do", "signed": true},
		{"time": "2026-11-24T05:01:30.005Z", "place": "AO1", "quantity": "dissolved_oxygen", "unit": "mg/L", "value": 99.0, "quality": "out-of-range", "gateway": "gw-ao", "sensor": "ao1-do", "signed": true},
		{"time": "2026-11-24T05:00:01.000Z", "place": "AO1", "quantity": "ph", "unit": "", "value": 7.25, "quality": "uncalibrated", "gateway": "in-lora", "sensor": "ph-7", "signed": false},
		{"time": "2026-11-24T05:00:02.000Z", "place": "KT2", "quantity": "soil_moisture", "unit": "%", "value": 1e-7, "quality": "suspect", "gateway": "gw-ao", "sensor": "kt2", "signed": true},
	}
	if diff := cmp.Diff(want, got.Rows); diff != "" {
		t.Error(diff)
	}
}

// What is written goes out while rows come in: a season is not gathered in memory.
func TestTables_AreStreams(t *testing.T) {
	const rows = 300_000
	for _, format := range []string{"csv", "parquet"} {
		var out bytes.Buffer
		table, err := export.New(format, &out, export.About{From: noon, To: noon.Add(time.Hour), Zone: farm.Time()})
		if err != nil {
			t.Fatal(err)
		}
		held := 0 // the most that went out at once
		for i := range rows {
			before := out.Len()
			p := history.Point{Series: oxygen, Time: noon.Add(time.Duration(i) * time.Second), Value: float64(i%977) / 100}
			if err := table.Write(export.Row{Point: p, Unit: "mg/L", Signed: true}); err != nil {
				t.Fatal(err)
			}
			held = max(held, out.Len()-before)
		}
		before := out.Len()
		if err := table.Close(); err != nil {
			t.Fatal(err)
		}
		whole := out.Len()
		if before < whole/2 || max(held, whole-before) > whole/2 {
			t.Errorf("%s: of %d bytes %d went out before the end, at most %d at once", format, whole, before, held)
		}
		if format == "parquet" {
			path := filepath.Join(t.TempDir(), "many.parquet")
			if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			got := read(t, path)
			last := got.Rows[len(got.Rows)-1]
			if len(got.Rows) != rows || len(got.Groups) != 5 || last["value"] != float64((rows-1)%977)/100 || last["time"] != "2026-11-27T16:19:59.000Z" {
				t.Errorf("%d rows in groups %v; the last is %v", len(got.Rows), got.Groups, last)
			}
		}
	}
}

func TestWrite_StopsAtTheLimit(t *testing.T) {
	o := order()
	o.Limit = 4
	table, err := export.NewCSV(&bytes.Buffer{}, farm.Time())
	if err != nil {
		t.Fatal(err)
	}
	_, err = export.Write(t.Context(), some(), o, table)
	if many, ok := errors.AsType[*export.TooManyError](err); !ok || many.Limit != 4 {
		t.Errorf("five rows where four may be: %v", err)
	}
	if o.Limit = 5; true {
		if n, err := export.Write(t.Context(), some(), o, table); n != 5 || err != nil {
			t.Errorf("five rows where five may be: %d, %v", n, err)
		}
	}
}

// A table that lacks readings which were let go would look like a whole one.
func TestWrite_RefusesReadingsThatWereLetGo(t *testing.T) {
	var b bytes.Buffer
	table, err := export.NewCSV(&b, farm.Time())
	if err != nil {
		t.Fatal(err)
	}
	o, h := order(), thinned{some(), acid}
	o.From = noon.Add(-30 * time.Minute)
	rows, err := export.Write(t.Context(), h, o, table)
	if gone, ok := errors.AsType[*export.GoneError](err); !ok || !gone.Until.Equal(noon) || !errors.Is(err, history.ErrGone) || rows != 0 || b.Len() != 0 {
		t.Errorf("%d rows, %v", rows, err)
	}
	o.From = noon
	if rows, err := export.Write(t.Context(), h, o, table); rows != 5 || err != nil {
		t.Errorf("after that: %d rows, %v", rows, err)
	}
	o.From, o.Series = noon.Add(-30*time.Minute), []history.Series{oxygen, soil}
	if rows, err := export.Write(t.Context(), h, o, table); rows != 5 || err != nil {
		t.Errorf("of others: %d rows, %v", rows, err)
	}
}

func TestChoice_LeavesWhatIsNotNamed(t *testing.T) {
	all := []history.Series{soil, oxygen, acid, oxygen}
	for name, c := range map[string]struct {
		choice export.Choice
		want   []history.Series
	}{
		"all":      {export.Choice{}, []history.Series{oxygen, acid, soil}},
		"place":    {export.Choice{Places: []string{"AO1"}}, []history.Series{oxygen, acid}},
		"quantity": {export.Choice{Quantities: []measure.Quantity{measure.PH, measure.SoilMoisture}}, []history.Series{acid, soil}},
		"gateway":  {export.Choice{Gateways: []string{"gw-ao"}, Places: []string{"KT2"}}, []history.Series{soil}},
		"none":     {export.Choice{Places: []string{"AO9"}}, nil},
	} {
		if diff := cmp.Diff(c.want, c.choice.Of(all)); diff != "" && len(c.want)+len(c.choice.Of(all)) > 0 {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func BenchmarkTables(b *testing.B) {
	points := make([]export.Row, 10_000)
	for i := range points {
		points[i] = export.Row{Point: history.Point{Series: oxygen, Time: noon.Add(time.Duration(i) * time.Minute), Value: float64(i*7919%1000) / 100}, Unit: "mg/L", Signed: true}
	}
	for _, format := range []string{"csv", "parquet"} {
		b.Run(format, func(b *testing.B) {
			var out bytes.Buffer
			table, err := export.New(format, &out, export.About{From: noon, To: noon, Zone: farm.Time()})
			if err != nil {
				b.Fatal(err)
			}
			n, bytesOut := 0, 0
			for b.Loop() {
				for _, p := range points {
					if err := table.Write(p); err != nil {
						b.Fatal(err)
					}
				}
				n += len(points)
				bytesOut += out.Len()
				out.Reset()
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(bytesOut)/float64(n), "B/row")
		})
	}
}

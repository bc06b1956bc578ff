package diary

import (
	"crypto/sha256"
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/oklog/ulid/v2"

	"aovuon/server/farm"
	"aovuon/server/form"
)

//go:embed demo.yaml
var demoYAML []byte

// DemoSeason is what people of the demo co-op wrote: a season up to a moment.
type DemoSeason struct {
	Records []farm.Record
	Entries []DemoEntry // in the order they came in
}

// DemoEntry is one entry as a phone sent it.
type DemoEntry struct {
	Sent
	Actor string    // pseudonym
	Came  time.Time // when the server took it
}

// Demo returns the season of the demo's farm up to now: the same for the same day. Places that the farm does not have are left out.
func Demo(f *farm.Farm, now time.Time) (DemoSeason, error) {
	d := demo{farm: f, now: now, day: farm.Midnight(now), place: map[string]string{}}
	for _, p := range f.Places {
		d.place[p.Name] = p.Code
	}
	var out DemoSeason
	var err error
	if out.Records, err = d.records(); err != nil {
		return out, err
	}
	d.season()
	d.receipts(out.Records)
	slices.SortStableFunc(d.out, func(a, b DemoEntry) int { return a.Came.Compare(b.Came) })
	out.Entries = d.out
	return out, d.err
}

// demo makes one season.
type demo struct {
	farm  *farm.Farm
	now   time.Time
	day   time.Time // today
	place map[string]string
	out   []DemoEntry
	err   error
}

func (d *demo) records() ([]farm.Record, error) {
	var file struct {
		Records []map[string]any `yaml:"records"`
	}
	if err := yaml.Unmarshal(demoYAML, &file); err != nil {
		return nil, fmt.Errorf("diary: demo: %w", err)
	}
	var out []farm.Record
	for _, raw := range file.Records {
		kind, _ := raw["kind"].(string)
		id, _ := raw["id"].(string)
		if p, ok := raw["place"].(string); ok && d.place[p] == "" {
			continue
		}
		written := func(key string) []string {
			var all []string
			list, many := raw[key].([]any)
			if !many && raw[key] != nil {
				list = []any{raw[key]}
			}
			for _, one := range list {
				all = append(all, d.value(fmt.Sprint(one)))
			}
			return all
		}
		values, bad := form.Written(farm.RecordKind(kind).Fields(), written, farm.Time(), nil)
		if len(bad) > 0 {
			return nil, fmt.Errorf("diary: demo.yaml: %s: %w", id, &form.InvalidError{Problems: bad})
		}
		out = append(out, farm.Record{Kind: farm.RecordKind(kind), ID: id, Values: values})
	}
	return out, nil
}

// value makes a day of "-12d", and a place's code of its name.
func (d *demo) value(s string) string {
	if code := d.place[s]; code != "" {
		return code
	}
	if n, err := strconv.Atoi(strings.TrimSuffix(s, "d")); err == nil && strings.HasSuffix(s, "d") {
		return d.day.AddDate(0, 0, n).Format(time.DateOnly)
	}
	return s
}

// writer is the pseudonym of who keeps the diary of a place.
func (d *demo) writer(place string) string {
	if p, ok := d.farm.Place(place); ok && p.Household != "" {
		return "u-" + strings.ToLower(strings.ReplaceAll(p.Household, "-", ""))
	}
	return "u-kythuat"
}

// at is a time of a day before or after today.
func (d *demo) at(days int, clock float64) time.Time {
	return d.day.AddDate(0, 0, days).Add(time.Duration(clock * float64(time.Hour))).Truncate(time.Minute)
}

// add writes an entry at a place (its name; "": the co-op), a few minutes after it was done; what would be later than now is not there yet. It
// returns its id, or "".
func (d *demo) add(kind, place string, at time.Time, v form.Values) string {
	return d.late(kind, place, at, at.Add(4*time.Minute), at.Add(5*time.Minute), v, "")
}

// late writes an entry that was written down and came in when it did.
func (d *demo) late(kind, place string, at, written, came time.Time, v form.Values, note string) string {
	e := Event{Kind: kind, Place: d.place[place], Values: v, Note: note, Occurred: at, Recorded: written}
	if place != "" {
		e.Cycle = "demo-" + place
	}
	return d.send(e, came)
}

func (d *demo) send(e Event, came time.Time) string {
	if came.After(d.now) || e.Occurred.After(d.now) {
		return ""
	}
	e.ID = d.id(e)
	d.out = append(d.out, DemoEntry{Sent: Sent{Event: e, SentAt: came}, Actor: d.writer(e.Place), Came: came})
	return e.ID
}

// correct writes a correction of an entry: the values that are right, and why; with nothing it is taken back.
func (d *demo) correct(id string, came time.Time, v form.Values, why string) {
	i := slices.IndexFunc(d.out, func(e DemoEntry) bool { return e.ID == id })
	if i < 0 {
		return
	}
	e := d.out[i].Event
	e.Corrects, e.Recorded = id, came.Add(-time.Minute)
	if v == nil {
		e.Kind, e.Values, e.Occurred = Void, form.Values{"reason": why}, e.Recorded
	} else {
		e.Values, e.Note = v, why
	}
	d.send(e, came)
}

// id is a ULID that is the same for the same entry of the same day.
func (d *demo) id(e Event) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s %d %s", e.Kind, e.Place, e.Corrects, len(d.out), d.day.Format(time.DateOnly)))
	var id ulid.ULID
	if err := id.SetTime(ulid.Timestamp(e.Recorded)); err != nil && d.err == nil {
		d.err = fmt.Errorf("diary: demo: %w", err)
	}
	copy(id[6:], sum[:10])
	return id.String()
}

// receipts writes what came into the stock before it was used, so that it balances: each maker's lot in two deliveries, with a bag over.
func (d *demo) receipts(records []farm.Record) {
	type lot struct{ input, name string }
	used, first := map[lot]float64{}, map[lot]time.Time{}
	var order []lot
	gone := map[string]bool{}
	for _, e := range d.out {
		if e.Corrects != "" {
			gone[e.Corrects] = true
		}
	}
	for _, e := range d.out {
		n, ok := e.Values.Number(KeyAmount)
		if !ok || gone[e.ID] {
			continue
		}
		l := lot{e.Values.Text(KeyInput), e.Values.Text(KeyLot)}
		if first[l].IsZero() {
			order = append(order, l)
		}
		if first[l].IsZero() || e.Occurred.Before(first[l]) {
			first[l] = e.Occurred
		}
		used[l] += n
	}
	for _, l := range order {
		unit := 25.0
		if i := slices.IndexFunc(records, func(r farm.Record) bool { return r.ID == l.input }); i >= 0 && records[i].Values.Text("type") != farm.Feed && used[l] < 100 {
			unit = 1
		}
		at := farm.Midnight(first[l]).AddDate(0, 0, -2).Add(9 * time.Hour)
		d.add(Receipt, "", at, form.Values{
			KeyInput: l.input, KeyAmount: (math.Ceil(used[l]/unit) + 1) * unit, KeyLot: l.name, KeyExpiry: at.AddDate(1, 0, 0).In(farm.Time()).Format(time.DateOnly), "supplier": "Cửa hàng vật tư minh họa",
		})
	}
}

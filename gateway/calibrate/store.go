package calibrate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
)

// key is what calibrations are kept by.
type key struct {
	sensor   string
	quantity measure.Quantity
}

// kept is a calibration on this machine: the record as it was sent, byte for byte, and when it was.
type kept struct {
	record Record
	at     measure.Instant // dated later where the clock was not set
	body   string
	spool  bool // the spool has it: it need not be handed over again
	file   string
}

// file is the form of a kept calibration on disk, see FORMAT.md.
type file struct {
	Spooled  bool       `json:"spooled"`
	Wall     *time.Time `json:"wall,omitempty"`
	Clock    string     `json:"clock"`
	Boot     string     `json:"boot"`
	UptimeMS int64      `json:"uptime_ms"`
	Body     string     `json:"body"`
}

// store is the folder of calibrations.
type store struct{ dir string }

// nameForm is the name of a file of the store: sensor, quantity, number.
func nameForm() *regexp.Regexp {
	return regexp.MustCompile(`^([a-z0-9][a-z0-9-]{0,39})\.([a-z_]{1,40})\.([0-9]{6})\.json$`)
}

// load reads the newest calibration of each sensor and quantity, and every one the spool may not have. What cannot be read
// is told and passed over: an older one is better than none.
func (s store) load() (newest map[key]*kept, unsent []*kept, bad []error) {
	newest = make(map[key]*kept)
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return newest, nil, nil
	}
	if err != nil {
		return newest, nil, []error{fmt.Errorf("calibrate: %w", err)}
	}
	form := nameForm()
	for _, e := range entries { // in the order of their names, so numbers rise
		if !form.MatchString(e.Name()) {
			continue
		}
		k, err := s.read(filepath.Join(s.dir, e.Name()))
		if err != nil {
			bad = append(bad, err)
			continue
		}
		newest[key{k.record.Sensor, k.record.Quantity}] = k
		if !k.spool {
			unsent = append(unsent, k)
		}
	}
	return newest, unsent, bad
}

func (s store) read(path string) (*kept, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("calibrate: %w", err)
	}
	var f file
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("calibrate: %s: %w", path, err)
	}
	r, err := ParseRecord([]byte(f.Body))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	clock, ok := measure.ParseClockState(f.Clock)
	if !ok || (clock != measure.Unsynced) != (f.Wall != nil) || f.UptimeMS < 0 {
		return nil, fmt.Errorf("calibrate: %s: no instant", path)
	}
	k := &kept{record: r, body: f.Body, spool: f.Spooled, file: path, at: measure.Instant{
		Clock: clock, Boot: f.Boot, Uptime: time.Duration(f.UptimeMS) * time.Millisecond,
	}}
	if f.Wall != nil {
		k.at.Wall = f.Wall.UTC()
	}
	return k, nil
}

// add gives a calibration the next number and writes it.
func (s store) add(k *kept) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("calibrate: %w", err)
	}
	head := fmt.Sprintf("%s.%s.", k.record.Sensor, k.record.Quantity)
	names, err := filepath.Glob(filepath.Join(s.dir, head+"*.json")) // neither part has a character Glob knows
	if err != nil {
		return fmt.Errorf("calibrate: %w", err)
	}
	n, form := 0, nameForm()
	for _, name := range names {
		if m := form.FindStringSubmatch(filepath.Base(name)); m != nil {
			if i, err := strconv.Atoi(m[3]); err == nil {
				n = max(n, i)
			}
		}
	}
	k.file = filepath.Join(s.dir, fmt.Sprintf("%s%06d.json", head, n+1))
	return s.write(k)
}

// write puts k into its file: what is there after a power cut is the old or the new, whole.
func (s store) write(k *kept) error {
	f := file{Spooled: k.spool, Clock: k.at.Clock.String(), Boot: k.at.Boot, UptimeMS: k.at.Uptime.Milliseconds(), Body: k.body}
	if k.at.Clock != measure.Unsynced {
		f.Wall = &k.at.Wall
	}
	raw, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("calibrate: %w", err)
	}
	if err := wire.WriteFile(k.file, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("calibrate: keep the record: %w", err)
	}
	return nil
}

// history reads every calibration of a sensor, newest first.
func (s store) history(sensor string) (list []Record) {
	names, err := filepath.Glob(filepath.Join(s.dir, sensor+".*.json"))
	if err != nil {
		return nil
	}
	var found []*kept
	for _, name := range names {
		if k, err := s.read(name); err == nil && k.record.Sensor == sensor {
			found = append(found, k)
		}
	}
	slices.SortStableFunc(found, func(a, b *kept) int { return b.at.Wall.Compare(a.at.Wall) })
	for _, k := range found {
		list = append(list, k.record)
	}
	return list
}

// document is the record as it was made, to be handed over again.
func (k *kept) document() wire.Document {
	return wire.Document{Time: k.at, Kind: wire.DocCalibration, Body: k.body}
}

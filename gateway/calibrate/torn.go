package calibrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
)

// torn is a calibration that a power cut tore: the first point deletes the others in a circuit, so one that is left in the
// middle measures wrong and says that it is calibrated. It is written down before the first point, and gone when the session
// ends; one that is found at a start is undone.
type torn struct {
	Sensor   string           `json:"sensor"`
	Quantity measure.Quantity `json:"quantity"`
	Kind     string           `json:"kind"`
	Method   Method           `json:"method"`
	Who      string           `json:"who"`
	Backup   []string         `json:"backup"` // what the circuit exported; null where it cannot
}

// tornEnd is how the file of a torn calibration ends, after its sensor.
const tornEnd = ".torn.json"

func (s store) tear(t *torn) error {
	raw, err := json.Marshal(t)
	if err == nil {
		err = os.MkdirAll(s.dir, 0o700)
	}
	if err == nil {
		err = wire.WriteFile(filepath.Join(s.dir, t.Sensor+tornEnd), append(raw, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("calibrate: the disk does not take a note, so the circuit is not changed: %w", err)
	}
	return nil
}

func (s store) untear(sensor string) error {
	if err := os.Remove(filepath.Join(s.dir, sensor+tornEnd)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("calibrate: %w", err)
	}
	return nil
}

// allTorn reads what was left; a file that cannot be read tells at least of which sensor it was.
func (s store) allTorn() (all map[string]*torn, bad []error) {
	all = make(map[string]*torn)
	names, err := filepath.Glob(filepath.Join(s.dir, "*"+tornEnd))
	if err != nil {
		return all, []error{fmt.Errorf("calibrate: %w", err)}
	}
	for _, name := range names {
		sensor := strings.TrimSuffix(filepath.Base(name), tornEnd)
		if !measure.ValidID(sensor, wire.MaxSensorLength) {
			continue
		}
		t := &torn{Sensor: sensor}
		raw, err := os.ReadFile(name)
		if err == nil {
			err = json.Unmarshal(raw, t)
		}
		if err != nil || t.Sensor != sensor {
			bad = append(bad, fmt.Errorf("calibrate: %s: %w", name, errors.Join(err, errors.New("of an unfinished calibration"))))
			t = &torn{Sensor: sensor}
		}
		all[sensor] = t
	}
	return all, bad
}

// again is how long a circuit that does not answer is left alone.
const again = time.Minute

// mend gives a circuit back what it had before a torn calibration. It tries until the circuit answers, or somebody
// calibrates it. Where the circuit cannot take anything back the record says so.
func (d *Desk) mend(ctx context.Context, t *torn) {
	log := d.log.With(slog.String("sensor", t.Sensor), slog.String("who", t.Who))
	if t.Backup == nil {
		log.Error("a calibration was cut short and cannot be undone; calibrate again: until then values count as uncalibrated")
		return
	}
	log.Warn("a calibration was cut short; its circuit gets the old one back")
	for told := false; ; {
		d.mu.RLock()
		f, holder := d.fitted[t.Sensor], d.holder
		busy := d.sessions[t.Sensor] != nil && d.sessions[t.Sensor].running()
		mended := d.torn[t.Sensor] != t
		d.mu.RUnlock()
		if mended {
			return
		}
		if f != nil && !busy {
			err := d.undoTorn(ctx, holder, f, t)
			if err == nil {
				log.Info("the circuit has its old calibration again")
				return
			}
			if !told && ctx.Err() == nil {
				log.Error("the circuit does not take its old calibration; its values count as uncalibrated", slog.Any("err", err))
				told = true
			}
			if isRefusal(err, "kept") {
				return
			}
		}
		if err := d.clock.Sleep(ctx, again); err != nil {
			return
		}
	}
}

func (d *Desk) undoTorn(ctx context.Context, holder Holder, f *fitted, t *torn) error {
	c, ok := f.driver.(Circuit)
	if !ok {
		return refuse("kept", "%s is another probe now", t.Sensor)
	}
	e := &ezoProbe{circuit: c, backup: t.Backup, touched: true}
	err := holder.Do(ctx, f.spec.Bus, func(ctx context.Context) error {
		_, err := e.undo(ctx)
		return err
	})
	if err == nil {
		err = d.store.untear(t.Sensor)
	}
	if err != nil {
		return err
	}
	d.mu.Lock()
	delete(d.torn, t.Sensor)
	d.mu.Unlock()
	return nil
}

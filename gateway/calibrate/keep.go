package calibrate

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"strings"
	"time"

	"aovuon/gateway/measure"
)

// keep writes the record of a session and puts it in force.
func (d *Desk) keep(ctx context.Context, s *Session, res Result, note string) (*kept, error) {
	st, now := s.State(), d.clock.Now()
	now.Wall, now.Uptime = now.Wall.UTC().Truncate(time.Millisecond), now.Uptime.Truncate(time.Millisecond)
	r := Record{
		Format: Format, ID: newID(), Sensor: st.Sensor, Quantity: st.Quantity, Kind: s.kind, Method: st.Method, Who: st.Who,
		Serial: s.begin.Serial, NewProbe: s.begin.NewProbe, Points: st.Points, SlopePercent: res.SlopePercent, Offset: res.Offset,
		OffsetUnit: res.OffsetUnit, Verdict: res.Verdict, Reasons: res.Reasons, Coefficients: res.Coefficients, Note: note,
	}
	every := d.everyOf(st.Sensor, st.Quantity)
	r.EverySeconds = int64(every / time.Second)
	if now.Clock != measure.Unsynced {
		r.Time = &now.Wall
		if due := now.Wall.Add(every); every > 0 {
			r.Due = &due
		}
	} else {
		now.Wall = time.Time{}
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	doc, err := r.document(now)
	if err != nil {
		return nil, err
	}
	k := &kept{record: r, at: now, body: doc.Body}
	if err := d.store.add(k); err != nil {
		return nil, err
	}
	if err := d.store.untear(r.Sensor); err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.inForce[key{r.Sensor, r.Quantity}] = k
	delete(d.torn, r.Sensor)
	d.mu.Unlock()
	if err := d.spool(ctx, k); err != nil { // it is kept here: the next start hands it over
		d.log.Error("a calibration record waits for the disk", slog.String("sensor", r.Sensor), slog.Any("err", err))
	}
	return k, nil
}

// spool hands a record to the spool, and remembers that it did once the spool has it on disk.
func (d *Desk) spool(ctx context.Context, k *kept) error {
	d.mu.RLock()
	docs := d.docs
	d.mu.RUnlock()
	if err := docs.TakeDocument(ctx, k.document()); err != nil {
		return err
	}
	if err := docs.Flush(ctx); err != nil {
		return err
	}
	d.mu.Lock()
	k.spool = true
	d.mu.Unlock()
	return d.store.write(k)
}

func (d *Desk) everyOf(sensor string, q measure.Quantity) time.Duration {
	d.mu.RLock()
	defer d.mu.RUnlock()
	f, ok := d.fitted[sensor]
	if !ok {
		return ruleOf(q).every
	}
	return f.interval[q]
}

func newID() string {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil { // never returns an error; see crypto/rand
		return strings.Repeat("0", 16)
	}
	return hex.EncodeToString(b[:])
}

// cut shortens s to at most n bytes, at the end of a letter.
func cut(s string, n int) string {
	for len(s) > n {
		r := []rune(s)
		s = string(r[:len(r)-1])
	}
	return s
}

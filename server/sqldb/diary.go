package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"aovuon/server/diary"
	"aovuon/server/form"
	"aovuon/server/ledger"
	"aovuon/server/privacy"
)

// entryRow is a row of diary_event with its media, in the form of the body of its leaf.
type entryRow struct {
	ID       string          `json:"id"`
	Kind     string          `json:"kind"`
	Place    string          `json:"place,omitempty"`
	Cycle    string          `json:"cycle,omitempty"`
	At       time.Time       `json:"at"` // occurred, the phone's clock put right
	Occurred time.Time       `json:"occurred"`
	Recorded time.Time       `json:"recorded"`
	Synced   time.Time       `json:"synced"`
	SkewMS   int64           `json:"skew_ms,omitempty"`
	Actor    string          `json:"actor"`
	Device   string          `json:"device,omitempty"`
	Corrects string          `json:"corrects,omitempty"`
	Root     string          `json:"root"` // the first event of the chain of corrections
	Media    []diary.Media   `json:"media,omitempty"`
	Erased   *time.Time      `json:"erased,omitempty"` // what said something of a person was taken out
	Body     json.RawMessage `json:"body"`             // an entryBody, as the text stands
}

// entryBody is what stands in the column of that name.
type entryBody struct {
	Values   form.Values `json:"values,omitempty"`
	Note     string      `json:"note,omitempty"`
	Position *position   `json:"position,omitempty"`
}

// position is where a phone was, as exactly as it knew.
type position struct {
	Exact [2]float64 `json:"exact"` // degrees north and east, WGS 84
	Acc   float64    `json:"acc"`
}

func rowOf(e diary.Event) (entryRow, error) {
	b := entryBody{Values: e.Values, Note: e.Note}
	if p := e.Position; p != nil {
		lat, lon := p.Exact()
		b.Position = &position{[2]float64{lat, lon}, p.Acc}
	}
	raw, err := json.Marshal(b)
	return entryRow{
		ID: e.ID, Kind: e.Kind, Place: e.Place, Cycle: e.Cycle, At: millis(e.At()), Occurred: millis(e.Occurred), Recorded: millis(e.Recorded),
		Synced: millis(e.Synced), SkewMS: e.Skew.Milliseconds(), Actor: e.Actor, Device: e.Device, Corrects: e.Corrects, Root: e.ID, Media: e.Media, Body: raw,
	}, err
}

func millis(t time.Time) time.Time { return fromMillis(toMillis(t)) }

func (w entryRow) event() (diary.Event, error) {
	var b struct {
		Values   json.RawMessage `json:"values"`
		Note     string          `json:"note"`
		Position *position       `json:"position"`
	}
	e := diary.Event{
		ID: w.ID, Kind: w.Kind, Place: w.Place, Cycle: w.Cycle, Media: w.Media, Corrects: w.Corrects, Actor: w.Actor, Device: w.Device,
		Occurred: w.Occurred, Recorded: w.Recorded, Synced: w.Synced, Skew: time.Duration(w.SkewMS) * time.Millisecond,
	}
	if err := json.Unmarshal(w.Body, &b); err != nil {
		return e, fmt.Errorf("event %s: %w", w.ID, err)
	}
	e.Note = b.Note
	if b.Values != nil {
		var err error
		if e.Values, err = form.Read(b.Values); err != nil {
			return e, fmt.Errorf("event %s: %w", w.ID, err)
		}
	}
	if p := b.Position; p != nil {
		at, err := privacy.NewPoint(p.Exact[0], p.Exact[1])
		if err != nil {
			return e, fmt.Errorf("event %s: %w", w.ID, err)
		}
		e.Position = &diary.Position{Point: at, Acc: p.Acc}
	}
	return e, nil
}

// AddEvent keeps an event of the diary, which desk checked. One that is there already, and says the same, is left as it is; added is then
// false. The errors wrap diary.ErrReused where its id stands for another, diary.ErrCorrects where it corrects what is not there or what
// somebody corrected before.
func (d *DB) AddEvent(ctx context.Context, e diary.Event, by ledger.By) (added bool, err error) {
	err = d.record(ctx, "diary event "+e.ID, func(r *record) error {
		if added, err = r.addEvent(ctx, e, by); err != nil || !added {
			return err
		}
		return r.drawEvent(ctx, e.ID)
	})
	return added, err
}

func (r *record) addEvent(ctx context.Context, e diary.Event, by ledger.By) (added bool, err error) {
	if old, there, err := oneEvent(ctx, r, e.ID); err != nil || there {
		return false, sameEvent(old, e, err)
	}
	row, err := rowOf(e)
	if err != nil {
		return false, err
	}
	if e.Corrects != "" {
		if err := r.follow(ctx, &row); err != nil {
			return false, err
		}
	}
	_, err = r.ExecContext(ctx, `INSERT INTO diary_event (id, kind, place, cycle, at_ms, occurred_ms, recorded_ms, synced_ms, skew_ms, actor, device, corrects, root, erased_ms, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, $14)`,
		row.ID, row.Kind, row.Place, row.Cycle, toMillis(row.At), toMillis(row.Occurred), toMillis(row.Recorded), toMillis(row.Synced), row.SkewMS,
		row.Actor, row.Device, row.Corrects, row.Root, string(row.Body))
	if err != nil {
		return false, err
	}
	for i, m := range row.Media {
		if _, err := r.ExecContext(ctx, `INSERT INTO event_media (event, ordinal, sha256, type) VALUES ($1, $2, $3, $4)`, row.ID, i, m.SHA256, m.Type); err != nil {
			return false, err
		}
	}
	return true, r.say(ctx, ledger.EntryKept, row.ID, row, by)
}

// sameEvent answers an id that is there already.
func sameEvent(old entryRow, e diary.Event, err error) error {
	if err != nil {
		return err
	}
	kept, err := old.event()
	if err != nil {
		return err
	}
	if old.Erased == nil && !kept.Same(e) {
		return diary.ErrReused
	}
	return nil
}

// follow sets an event that corrects behind the one it corrects: in its chain, and after it by the server's clock, also when both came in
// the same millisecond.
func (r *record) follow(ctx context.Context, row *entryRow) error {
	old, there, err := oneEvent(ctx, r, row.Corrects)
	if err != nil {
		return err
	}
	var newer int64
	if err := r.QueryRowContext(ctx, `SELECT COUNT(*) FROM diary_event WHERE corrects = $1`, row.Corrects).Scan(&newer); err != nil {
		return err
	}
	if !there || newer > 0 || old.Kind == diary.Void || old.Place != row.Place {
		return diary.ErrCorrects
	}
	row.Root = old.Root
	if !row.Synced.After(old.Synced) {
		row.Synced = old.Synced.Add(time.Millisecond)
	}
	return nil
}

// Event returns one event; ok is false where there is none.
func (d *DB) Event(ctx context.Context, id string) (e diary.Event, ok bool, err error) {
	row, ok, err := oneEvent(ctx, d.read, id)
	if err == nil && ok {
		e, err = row.event()
	}
	if err != nil {
		return e, false, fmt.Errorf("sqldb: diary: %w", err)
	}
	return e, ok, nil
}

func oneEvent(ctx context.Context, q querier, id string) (entryRow, bool, error) {
	list, err := entryRows(ctx, q, `e.id = $1`, id)
	if err != nil || len(list) == 0 {
		return entryRow{}, false, err
	}
	return list[0], true, nil
}

// Events returns events by when they were done, the oldest first. Where an event is asked for, all that corrects it and that it corrects comes
// along, whatever the query says, so that diary.Entries can say how it stands; Newest counts such entries.
func (d *DB) Events(ctx context.Context, q diary.Query) ([]diary.Event, error) {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: d.snapshot()})
	if err != nil {
		return nil, fmt.Errorf("sqldb: diary: %w", err)
	}
	out, err := events(ctx, tx, q)
	if err := closing(tx, err); err != nil {
		return nil, fmt.Errorf("sqldb: diary: %w", err)
	}
	return out, nil
}

func events(ctx context.Context, q querier, query diary.Query) ([]diary.Event, error) {
	where, args := eventsWhere(query)
	rows, err := entryRows(ctx, q, where, args...)
	if err != nil {
		return nil, err
	}
	out := make([]diary.Event, 0, len(rows))
	for _, row := range rows {
		e, err := row.event()
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// eventsWhere writes a query as a condition on `diary_event e`.
func eventsWhere(q diary.Query) (where string, args []any) {
	var all []string
	add := func(column string, values []string) {
		marks := make([]string, len(values))
		for i, v := range values {
			args = append(args, v)
			marks[i] = fmt.Sprintf("$%d", len(args))
		}
		all = append(all, column+" IN ("+strings.Join(marks, ", ")+")")
	}
	bound := func(text string, t time.Time) {
		args = append(args, toMillis(t))
		all = append(all, fmt.Sprintf(text, len(args)))
	}
	if len(q.Places) > 0 {
		add("place", q.Places)
	}
	if q.Cycle != "" {
		add("cycle", []string{q.Cycle})
	}
	if len(q.Kinds) > 0 {
		add("kind", q.Kinds)
	}
	if !q.From.IsZero() {
		bound("at_ms >= $%d", q.From)
	}
	if !q.To.IsZero() {
		bound("at_ms < $%d", q.To)
	}
	if len(all) == 0 && q.Newest == 0 {
		return `1 = 1`, nil
	}
	where = `SELECT root FROM diary_event`
	if len(all) > 0 {
		where += ` WHERE ` + strings.Join(all, " AND ")
	}
	if q.Newest > 0 {
		args = append(args, q.Newest)
		where += fmt.Sprintf(` GROUP BY root ORDER BY MAX(at_ms) DESC, root DESC LIMIT $%d`, len(args))
	}
	return `e.root IN (` + where + `)`, args
}

// entryRows reads events of a condition on `diary_event e`, by when they were done.
func entryRows(ctx context.Context, q querier, where string, args ...any) (out []entryRow, err error) {
	at := map[string]int{}
	err = each(ctx, q, func(scan func(...any) error) error {
		var w entryRow
		var done, occurred, recorded, synced, erased int64
		var body string
		err := scan(&w.ID, &w.Kind, &w.Place, &w.Cycle, &done, &occurred, &recorded, &synced, &w.SkewMS, &w.Actor, &w.Device, &w.Corrects, &w.Root, &erased, &body)
		w.At, w.Occurred, w.Recorded, w.Synced = fromMillis(done), fromMillis(occurred), fromMillis(recorded), fromMillis(synced)
		w.Erased, w.Body = millisPointer(erased), json.RawMessage(body)
		at[w.ID] = len(out)
		out = append(out, w)
		return err
	}, `SELECT e.id, e.kind, e.place, e.cycle, e.at_ms, e.occurred_ms, e.recorded_ms, e.synced_ms, e.skew_ms, e.actor, e.device, e.corrects, e.root, e.erased_ms, e.body
		FROM diary_event e WHERE `+where+` ORDER BY e.at_ms, e.synced_ms, e.id`, args...)
	if err != nil || len(out) == 0 {
		return out, err
	}
	return out, each(ctx, q, func(scan func(...any) error) error {
		var event string
		var m diary.Media
		if err := scan(&event, &m.SHA256, &m.Type); err != nil {
			return err
		}
		if i, ok := at[event]; ok {
			out[i].Media = append(out[i].Media, m)
		}
		return nil
	}, `SELECT m.event, m.sha256, m.type FROM event_media m JOIN diary_event e ON e.id = m.event WHERE `+where+` ORDER BY m.event, m.ordinal`, args...)
}

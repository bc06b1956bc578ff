package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"aovuon/server/watch/alarm"
)

// LastingAlarms implements alarm.Store.
func (d *DB) LastingAlarms(ctx context.Context, at time.Time) ([]alarm.Alarm, []alarm.Maintenance, error) {
	list, err := alarms(ctx, d.read, `WHERE ended_ms = 0 ORDER BY began_ms, id`)
	if err != nil {
		return nil, nil, fmt.Errorf("sqldb: lasting alarms: %w", err)
	}
	held, err := maintenances(ctx, d.read, `WHERE to_ms > $1 AND (ended_ms = 0 OR ended_ms > $1) ORDER BY from_ms, id`, toMillis(at))
	if err != nil {
		return nil, nil, fmt.Errorf("sqldb: maintenance: %w", err)
	}
	return list, held, nil
}

// KeepAlarmChanges implements alarm.Store. The row of alarm_end is locked from the first statement to the commit, so changes have their
// numbers in the order of commits and no follower can be overtaken.
func (d *DB) KeepAlarmChanges(ctx context.Context, changes []alarm.Change) error {
	if len(changes) == 0 {
		return nil
	}
	numbers := make([]int64, len(changes))
	err := d.update(ctx, "keep alarm changes", func(tx *sql.Tx) error {
		var last int64
		if err := tx.QueryRowContext(ctx, `UPDATE alarm_end SET n = n + $1 WHERE id = 1 RETURNING n`, len(changes)).Scan(&last); err != nil {
			return err
		}
		n := last - int64(len(changes))
		known := map[string]int64{} // number of the newest change of each alarm
		for i := range changes {
			c := changes[i]
			before, seen := known[c.Alarm.ID]
			if !seen {
				before = c.Alarm.N
			}
			n++
			c.N, c.Alarm.N = n, n
			if err := keepChange(ctx, tx, c, before); err != nil {
				return err
			}
			numbers[i], known[c.Alarm.ID] = n, n
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, n := range numbers {
		changes[i].N, changes[i].Alarm.N = n, n
	}
	return nil
}

// keepChange writes one change and the alarm as it stands after it; before is the number of the change before it, 0 for the first.
func keepChange(ctx context.Context, tx *sql.Tx, c alarm.Change, before int64) error {
	raw, err := json.Marshal(c.Alarm)
	if err != nil {
		return err
	}
	a := c.Alarm
	_, err = tx.ExecContext(ctx, `INSERT INTO alarm_change (n, alarm, what, from_state, at_ms, actor, note, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		c.N, a.ID, c.What, string(c.From), toMillis(c.At), c.By, c.Note, string(raw))
	if err != nil {
		return err
	}
	var res sql.Result
	if before == 0 { // another program may have opened an alarm of the same key: then this one is told so and looks again
		res, err = tx.ExecContext(ctx, `INSERT INTO alarm (id, place, topic, state, level, began_ms, fired_ms, ended_ms, n, body)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
			a.ID, a.Place, a.Topic, string(a.State), string(a.Level), toMillis(a.Began), toMillis(a.Fired), toMillis(a.Ended), c.N, string(raw))
	} else {
		res, err = tx.ExecContext(ctx, `UPDATE alarm SET state = $1, level = $2, began_ms = $3, fired_ms = $4, ended_ms = $5, n = $6, body = $7 WHERE id = $8 AND n = $9`,
			string(a.State), string(a.Level), toMillis(a.Began), toMillis(a.Fired), toMillis(a.Ended), c.N, string(raw), a.ID, before)
	}
	if err != nil {
		return err
	}
	if rows, err := res.RowsAffected(); err != nil || rows != 1 {
		return fmt.Errorf("%s: %w", a.ID, orMoved(err))
	}
	return nil
}

func orMoved(err error) error {
	if err != nil {
		return err
	}
	return alarm.ErrMoved
}

// KeepMaintenance implements alarm.Store.
func (d *DB) KeepMaintenance(ctx context.Context, m alarm.Maintenance) error {
	return d.update(ctx, "keep maintenance", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO maintenance (id, place, topic, from_ms, to_ms, actor, reason, ended_ms, ended_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (id) DO UPDATE SET ended_ms = excluded.ended_ms, ended_by = excluded.ended_by`,
			m.ID, m.Place, m.Topic, toMillis(m.From), toMillis(m.To), m.By, m.Reason, toMillis(m.Ended), m.EndedBy)
		return err
	})
}

// AlarmChanges implements alarm.Archive.
func (d *DB) AlarmChanges(ctx context.Context, after int64, limit int) ([]alarm.Change, error) {
	out, err := alarmChanges(ctx, d.read, `WHERE n > $1 ORDER BY n LIMIT $2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("sqldb: alarm changes: %w", err)
	}
	return out, nil
}

// Alarm implements alarm.Archive.
func (d *DB) Alarm(ctx context.Context, id string) (alarm.Alarm, []alarm.Change, error) {
	changes, err := alarmChanges(ctx, d.read, `WHERE alarm = $1 ORDER BY n`, id)
	if err == nil && len(changes) == 0 {
		err = alarm.ErrNone
	}
	if err != nil {
		return alarm.Alarm{}, nil, fmt.Errorf("sqldb: alarm %s: %w", id, err)
	}
	return changes[len(changes)-1].Alarm, changes, nil
}

// historyMost bounds an answer where the query does not.
const historyMost = 1000

// AlarmHistory implements alarm.Archive.
func (d *DB) AlarmHistory(ctx context.Context, q alarm.Query) ([]alarm.Alarm, error) {
	if q.Limit <= 0 {
		q.Limit = historyMost
	}
	where, args := `WHERE fired_ms > 0 AND began_ms < $1 AND (ended_ms = 0 OR ended_ms >= $2)`, []any{toMillis(q.To), toMillis(q.From), q.Limit}
	if q.Place != "" {
		args = append(args, q.Place)
		where += fmt.Sprintf(` AND place = $%d`, len(args))
	}
	if q.Topic != "" {
		args = append(args, q.Topic)
		where += fmt.Sprintf(` AND topic = $%d`, len(args))
	}
	out, err := alarms(ctx, d.read, where+` ORDER BY began_ms DESC, id DESC LIMIT $3`, args...)
	if err != nil {
		return nil, fmt.Errorf("sqldb: alarm history: %w", err)
	}
	return out, nil
}

// Maintenances implements alarm.Archive.
func (d *DB) Maintenances(ctx context.Context, from, to time.Time) ([]alarm.Maintenance, error) {
	out, err := maintenances(ctx, d.read, `WHERE from_ms < $1 AND to_ms >= $2 AND (ended_ms = 0 OR ended_ms >= $2) ORDER BY from_ms DESC, id DESC`, toMillis(to), toMillis(from))
	if err != nil {
		return nil, fmt.Errorf("sqldb: maintenances: %w", err)
	}
	return out, nil
}

func alarms(ctx context.Context, q querier, where string, args ...any) (out []alarm.Alarm, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var id, body string
		if err := scan(&id, &body); err != nil {
			return err
		}
		a, err := alarmOf(id, body)
		out = append(out, a)
		return err
	}, `SELECT id, body FROM alarm `+where, args...)
	return out, err
}

func alarmOf(id, body string) (a alarm.Alarm, err error) {
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		return a, fmt.Errorf("alarm %s: %w", id, err)
	}
	return a, nil
}

func alarmChanges(ctx context.Context, q querier, where string, args ...any) (out []alarm.Change, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var c alarm.Change
		var id, body string
		var at int64
		if err := scan(&c.N, &id, &c.What, &c.From, &at, &c.By, &c.Note, &body); err != nil {
			return err
		}
		c.At = fromMillis(at)
		var err error
		c.Alarm, err = alarmOf(id, body)
		out = append(out, c)
		return err
	}, `SELECT n, alarm, what, from_state, at_ms, actor, note, body FROM alarm_change `+where, args...)
	return out, err
}

func maintenances(ctx context.Context, q querier, where string, args ...any) (out []alarm.Maintenance, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var m alarm.Maintenance
		var from, to, ended int64
		err := scan(&m.ID, &m.Place, &m.Topic, &from, &to, &m.By, &m.Reason, &ended, &m.EndedBy)
		m.From, m.To, m.Ended = fromMillis(from), fromMillis(to), fromMillis(ended)
		out = append(out, m)
		return err
	}, `SELECT id, place, topic, from_ms, to_ms, actor, reason, ended_ms, ended_by FROM maintenance `+where, args...)
	return out, err
}

// eraseAlarmNotes takes out what an account said of alarms and maintenance.
func (r *record) eraseAlarmNotes(ctx context.Context, id string) error {
	if _, err := r.tx.ExecContext(ctx, `UPDATE alarm_change SET note = '' WHERE actor = $1 AND note <> ''`, id); err != nil {
		return err
	}
	_, err := r.tx.ExecContext(ctx, `UPDATE maintenance SET reason = '' WHERE actor = $1`, id)
	return err
}

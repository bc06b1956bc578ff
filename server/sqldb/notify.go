package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

// Planned implements notify.Plans.
func (d *DB) Planned(ctx context.Context) (s notify.Standing, err error) {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: d.snapshot()})
	if err != nil {
		return s, fmt.Errorf("sqldb: where the ladder stands: %w", err)
	}
	s, err = planned(ctx, tx)
	if err := closing(tx, err); err != nil {
		return s, fmt.Errorf("sqldb: where the ladder stands: %w", err)
	}
	return s, nil
}

func planned(ctx context.Context, q querier) (s notify.Standing, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var name string
		var n int64
		if err := scan(&name, &n); err != nil {
			return err
		}
		switch name {
		case notify.CursorLadder:
			s.Cursor = n
		case notify.CursorDigest:
			s.Digest = n
		case digestMade:
			s.LastDigest = fromMillis(n)
		}
		return nil
	}, `SELECT projection, position FROM projection_cursor WHERE projection IN ($1, $2, $3)`, notify.CursorLadder, notify.CursorDigest, digestMade)
	if err != nil {
		return s, err
	}
	err = each(ctx, q, func(scan func(...any) error) error {
		var r notify.Rung
		var told, due int64
		err := scan(&r.Alarm, &r.Step, &r.Round, &told, &due)
		r.Told, r.Due = fromMillis(told), fromMillis(due)
		s.Rungs = append(s.Rungs, r)
		return err
	}, `SELECT alarm, step, round, told_ms, due_ms FROM notify_rung ORDER BY alarm`)
	if err != nil {
		return s, err
	}
	if s.Settings, _, err = notifySettings(ctx, q); err != nil {
		return s, err
	}
	s.Contacts, err = toldContacts(ctx, q)
	return s, err
}

// digestMade is the row of projection_cursor that holds when the last digest was made, milliseconds.
const digestMade = "notify-digest-made"

// Commit implements notify.Plans.
func (d *DB) Commit(ctx context.Context, p notify.Plan) error {
	return d.update(ctx, "keep what is told", func(tx *sql.Tx) error {
		if err := moveCursor(ctx, tx, p); err != nil {
			return err
		}
		for _, m := range p.Messages {
			if err := addMessage(ctx, tx, m); err != nil {
				return err
			}
		}
		for old, into := range p.Merged {
			_, err := tx.ExecContext(ctx, `UPDATE notify_message SET state = $2, ref = $3, done_ms = $4, next_ms = 0 WHERE id = $1 AND state = $5`,
				old, string(notify.Merged), into, toMillis(p.At), string(notify.Waiting))
			if err != nil {
				return err
			}
		}
		for _, id := range p.Drop {
			_, err := tx.ExecContext(ctx, `UPDATE notify_message SET state = $2, err = $3, done_ms = $5, next_ms = 0 WHERE id = $1 AND state = $4`,
				id, string(notify.Expired), notify.Moot, string(notify.Waiting), toMillis(p.At))
			if err != nil {
				return err
			}
		}
		for _, r := range p.Rungs {
			_, err := tx.ExecContext(ctx, `INSERT INTO notify_rung (alarm, step, round, told_ms, due_ms) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (alarm) DO UPDATE SET step = excluded.step, round = excluded.round, told_ms = excluded.told_ms, due_ms = excluded.due_ms`,
				r.Alarm, r.Step, r.Round, toMillis(r.Told), toMillis(r.Due))
			if err != nil {
				return err
			}
		}
		for _, id := range p.Off {
			if _, err := tx.ExecContext(ctx, `DELETE FROM notify_rung WHERE alarm = $1`, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// moveCursor moves a plan's cursor, or finds that somebody else did. Its row is locked from here on: of two servers one waits, and then sees.
func moveCursor(ctx context.Context, tx *sql.Tx, p notify.Plan) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO projection_cursor (projection, position) VALUES ($1, 0) ON CONFLICT (projection) DO NOTHING`, p.Cursor); err != nil {
		return err
	}
	res, err := tx.ExecContext(ctx, `UPDATE projection_cursor SET position = $3 WHERE projection = $1 AND position = $2`, p.Cursor, p.From, p.To)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errorOr(err, notify.ErrMoved)
	}
	for _, r := range p.Rungs { // time alone moves no cursor: of two servers the one that saw the ladder as it was goes on
		var due int64
		err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(due_ms), 0) FROM notify_rung WHERE alarm = $1`, r.Alarm).Scan(&due)
		if err == nil && due != toMillis(r.Was) {
			err = notify.ErrMoved
		}
		if err != nil {
			return err
		}
	}
	if p.Digest.IsZero() {
		return nil
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO projection_cursor (projection, position) VALUES ($1, $2) ON CONFLICT (projection) DO UPDATE SET position = excluded.position`,
		digestMade, toMillis(p.Digest))
	return err
}

func errorOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// urgency orders what a channel sends: 0 before 1.
func urgency(m notify.Message) int64 {
	switch {
	case m.Level == rule.Crit && m.Kind != notify.Closed:
		return 0
	case m.Kind == notify.Test:
		return 1
	case m.Kind == notify.Digest:
		return 3
	}
	return 2
}

func addMessage(ctx context.Context, tx execer, m notify.Message) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO notify_message (id, kind, alarm, step, contact, channel, address, level, urgency, lang, subject, body, short, link,
		made_ms, expires_ms, state, attempts, next_ms, tried_ms, done_ms, ref, err, stands_for)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)`,
		m.ID, string(m.Kind), m.Alarm, m.Step, m.Contact, m.Channel, m.To, string(m.Level), urgency(m), m.Lang, m.Subject, m.Text, m.Short, m.Link,
		toMillis(m.Created), toMillis(m.Expires), string(m.State), m.Attempts, toMillis(m.Next), toMillis(m.Tried), toMillis(m.Done), m.Ref, m.Err, m.After)
	if err != nil {
		return err
	}
	for n, i := range m.Items {
		_, err := tx.ExecContext(ctx, `INSERT INTO notify_item (message, n, alarm, kind, step) VALUES ($1, $2, $3, $4, $5)`, m.ID, n, i.Alarm, string(i.Kind), i.Step)
		if err != nil {
			return err
		}
	}
	return nil
}

const messageColumns = `SELECT id, kind, alarm, step, contact, channel, address, level, lang, subject, body, short, link,
	made_ms, expires_ms, state, attempts, next_ms, tried_ms, done_ms, ref, err, stands_for FROM notify_message `

// messagesWhere returns messages with what they speak of.
func messagesWhere(ctx context.Context, q querier, where string, args ...any) ([]notify.Message, error) {
	var out []notify.Message
	at := map[string]int{}
	err := each(ctx, q, func(scan func(...any) error) error {
		var m notify.Message
		var made, expires, next, tried, done int64
		err := scan(&m.ID, &m.Kind, &m.Alarm, &m.Step, &m.Contact, &m.Channel, &m.To, &m.Level, &m.Lang, &m.Subject, &m.Text, &m.Short, &m.Link,
			&made, &expires, &m.State, &m.Attempts, &next, &tried, &done, &m.Ref, &m.Err, &m.After)
		m.Created, m.Expires, m.Next, m.Tried, m.Done = fromMillis(made), fromMillis(expires), fromMillis(next), fromMillis(tried), fromMillis(done)
		at[m.ID] = len(out)
		out = append(out, m)
		return err
	}, messageColumns+where, args...)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	ids := make([]string, len(out))
	for i, m := range out {
		ids[i] = m.ID
	}
	for part := range slices.Chunk(ids, mostMarks) {
		marks, args := marksOf(part)
		err := each(ctx, q, func(scan func(...any) error) error {
			var id string
			var i notify.Item
			err := scan(&id, &i.Alarm, &i.Kind, &i.Step)
			out[at[id]].Items = append(out[at[id]].Items, i)
			return err
		}, `SELECT message, alarm, kind, step FROM notify_item WHERE message IN (`+marks+`) ORDER BY message, n`, args...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// mostMarks bounds the values of one IN.
const mostMarks = 500

// MessagesOf implements notify.Plans.
func (d *DB) MessagesOf(ctx context.Context, alarms []string) ([]notify.Message, error) {
	var out []notify.Message
	seen := map[string]bool{}
	for part := range slices.Chunk(alarms, mostMarks) {
		marks, args := marksOf(part)
		list, err := messagesWhere(ctx, d.read, `WHERE id IN (SELECT message FROM notify_item WHERE alarm IN (`+marks+`)) ORDER BY id`, args...)
		if err != nil {
			return nil, fmt.Errorf("sqldb: messages of alarms: %w", err)
		}
		for _, m := range list {
			if !seen[m.ID] {
				seen[m.ID] = true
				out = append(out, m)
			}
		}
	}
	return out, nil
}

// WaitingAlarms implements notify.Plans.
func (d *DB) WaitingAlarms(ctx context.Context) ([]notify.Message, error) {
	out, err := messagesWhere(ctx, d.read, `WHERE state = 'waiting' AND alarm <> '' ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: messages that wait: %w", err)
	}
	return out, nil
}

package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/server/watch/notify"
)

// Take implements notify.Outbox. The first statement writes, so of two senders one waits for the other, and never takes the same.
func (d *DB) Take(ctx context.Context, channel string, now time.Time) (m notify.Message, ok bool, err error) {
	var due int
	err = d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM notify_message WHERE channel = $1 AND state = 'waiting' AND next_ms <= $2 LIMIT 1) AS due`,
		channel, toMillis(now)).Scan(&due)
	if err != nil {
		return m, false, fmt.Errorf("sqldb: what is to be sent: %w", err)
	}
	if due == 0 {
		return m, false, nil
	}
	err = d.update(ctx, "take a message", func(tx *sql.Tx) error {
		var id string
		var n int
		err := tx.QueryRowContext(ctx, `UPDATE notify_message SET state = 'sending', attempts = attempts + 1, tried_ms = $2, next_ms = 0
			WHERE state = 'waiting' AND id = (SELECT id FROM notify_message WHERE channel = $1 AND state = 'waiting' AND next_ms <= $2
				AND (expires_ms = 0 OR expires_ms > $2) ORDER BY urgency, next_ms, id LIMIT 1) RETURNING id, attempts`, channel, toMillis(now)).Scan(&id, &n)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO notify_attempt (message, n, begun_ms, ended_ms, state, err) VALUES ($1, $2, $3, 0, 'sending', '')`, id, n, toMillis(now))
		if err != nil {
			return err
		}
		list, err := messagesWhere(ctx, tx, `WHERE id = $1`, id)
		if err == nil && len(list) == 1 {
			m, ok = list[0], true
		}
		return err
	})
	return m, ok, err
}

// Settle implements notify.Outbox. A message that was given up, or erased, meanwhile stays so.
func (d *DB) Settle(ctx context.Context, m notify.Message, next *notify.Message) error {
	return d.update(ctx, "settle a message", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE notify_message SET state = $2, next_ms = $3, done_ms = $4, ref = $5, err = $6 WHERE id = $1 AND state IN ('sending', 'sent') AND attempts = $7`,
			m.ID, string(m.State), toMillis(m.Next), toMillis(m.Done), m.Ref, m.Err, m.Attempts)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		ended := m.Done
		if ended.IsZero() {
			ended = m.Tried
		}
		_, err = tx.ExecContext(ctx, `UPDATE notify_attempt SET ended_ms = $3, state = $4, err = $5 WHERE message = $1 AND n = $2`,
			m.ID, m.Attempts, toMillis(ended), string(m.State), m.Err)
		if err != nil || next == nil {
			return err
		}
		return addMessage(ctx, tx, *next)
	})
}

// Sweep implements notify.Outbox.
func (d *DB) Sweep(ctx context.Context, now, begun time.Time) (expired, again int, err error) {
	var n int
	err = d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM notify_message WHERE state = 'waiting' AND expires_ms <> 0 AND expires_ms <= $1 OR state = 'sending' AND tried_ms <= $2`,
		toMillis(now), toMillis(begun)).Scan(&n)
	if err != nil || n == 0 {
		if err != nil {
			err = fmt.Errorf("sqldb: sweep: %w", err)
		}
		return 0, 0, err
	}
	err = d.update(ctx, "sweep messages", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE notify_message SET state = 'waiting', next_ms = $1 WHERE state = 'sending' AND tried_ms <= $2`, toMillis(now), toMillis(begun))
		if err != nil {
			return err
		}
		a, err := res.RowsAffected()
		if err != nil {
			return err
		}
		res, err = tx.ExecContext(ctx, `UPDATE notify_message SET state = 'expired', next_ms = 0, done_ms = $1 WHERE state = 'waiting' AND expires_ms <> 0 AND expires_ms <= $1`, toMillis(now))
		if err != nil {
			return err
		}
		x, err := res.RowsAffected()
		expired, again = int(x), int(a)
		return err
	})
	return expired, again, err
}

// ByRef implements notify.Outbox.
func (d *DB) ByRef(ctx context.Context, channel, ref string) (notify.Message, bool, error) {
	if ref == "" {
		return notify.Message{}, false, nil
	}
	list, err := messagesWhere(ctx, d.read, `WHERE channel = $1 AND ref = $2 AND state <> 'merged' ORDER BY id DESC LIMIT 1`, channel, ref)
	if err != nil || len(list) == 0 {
		if err != nil {
			err = fmt.Errorf("sqldb: message by its reference: %w", err)
		}
		return notify.Message{}, false, err
	}
	return list[0], true, nil
}

// Forget implements notify.Outbox.
func (d *DB) Forget(ctx context.Context, before time.Time) error {
	return d.update(ctx, "forget messages", func(tx *sql.Tx) error {
		old := `SELECT id FROM notify_message WHERE done_ms <> 0 AND done_ms < $1`
		for _, query := range []string{
			`DELETE FROM notify_attempt WHERE message IN (` + old + `)`, `DELETE FROM notify_item WHERE message IN (` + old + `)`,
			`DELETE FROM notify_message WHERE done_ms <> 0 AND done_ms < $1`,
		} {
			if _, err := tx.ExecContext(ctx, query, toMillis(before)); err != nil {
				return err
			}
		}
		return nil
	})
}

// AddMessages implements notify.Book.
func (d *DB) AddMessages(ctx context.Context, list []notify.Message) error {
	return d.update(ctx, "add messages", func(tx *sql.Tx) error {
		for _, m := range list {
			if err := addMessage(ctx, tx, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// Messages implements notify.Book.
func (d *DB) Messages(ctx context.Context, f notify.Filter) ([]notify.Record, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(condition, value string) {
		if value != "" {
			args = append(args, value)
			where = append(where, strings.ReplaceAll(condition, "?", "$"+strconv.Itoa(len(args))))
		}
	}
	add("state = ?", f.State)
	add("channel = ?", f.Channel)
	add("contact = ?", f.Contact)
	add("kind = ?", string(f.Kind))
	add("id = ?", f.ID)
	add("id < ?", f.Before)
	add("id IN (SELECT message FROM notify_item WHERE alarm = ?)", f.Alarm)
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	list, err := messagesWhere(ctx, d.read, `WHERE `+strings.Join(where, " AND ")+` ORDER BY id DESC LIMIT `+strconv.Itoa(limit), args...)
	if err != nil {
		return nil, fmt.Errorf("sqldb: messages: %w", err)
	}
	out := make([]notify.Record, len(list))
	at := map[string]int{}
	var ids []string
	for i, m := range list {
		out[i].Message, at[m.ID], ids = m, i, append(ids, m.ID)
	}
	for part := range slices.Chunk(ids, mostMarks) {
		marks, args := marksOf(part)
		err := each(ctx, d.read, func(scan func(...any) error) error {
			var id string
			var a notify.Attempt
			var begun, ended int64
			err := scan(&id, &a.N, &begun, &ended, &a.State, &a.Err)
			a.Begun, a.Ended = fromMillis(begun), fromMillis(ended)
			out[at[id]].Tries = append(out[at[id]].Tries, a)
			return err
		}, `SELECT message, n, begun_ms, ended_ms, state, err FROM notify_attempt WHERE message IN (`+marks+`) ORDER BY message, n`, args...)
		if err != nil {
			return nil, fmt.Errorf("sqldb: attempts: %w", err)
		}
	}
	return out, nil
}

// MessagesDue returns how many messages should have been sent by now.
func (d *DB) MessagesDue(ctx context.Context, now time.Time) (n int, err error) {
	if err := d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM notify_message WHERE state = 'waiting' AND next_ms <= $1`, toMillis(now)).Scan(&n); err != nil {
		return 0, fmt.Errorf("sqldb: messages due: %w", err)
	}
	return n, nil
}

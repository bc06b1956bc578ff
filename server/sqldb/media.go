package sqldb

import (
	"context"
	"fmt"

	"aovuon/server/ledger"
	"aovuon/server/media"
)

const mediaColumns = `SELECT sha256, kept, type, size, made_ms, made_by, erased_ms FROM media `

func mediaItems(ctx context.Context, q querier, where string, args ...any) (out []media.Item, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var i media.Item
		var made, erased int64
		err := scan(&i.SHA256, &i.Kept, &i.Type, &i.Size, &made, &i.By, &erased)
		i.Made, i.Erased = fromMillis(made), fromMillis(erased)
		out = append(out, i)
		return err
	}, mediaColumns+where+` ORDER BY made_ms, sha256`, args...)
	return out, err
}

// AddMedia implements media.Index.
func (d *DB) AddMedia(ctx context.Context, i media.Item, by ledger.By) error {
	i.By, i.Made = by.Actor, millis(by.At)
	return d.record(ctx, "media "+i.SHA256, func(r *record) error {
		before, err := mediaItems(ctx, r, `WHERE sha256 = $1`, i.SHA256)
		if err != nil {
			return err
		}
		said := changed{Table: mediaTable, Key: i.SHA256, After: i}
		if len(before) > 0 {
			if before[0].Erased.IsZero() {
				return nil // another was faster
			}
			said.Before = before[0]
		}
		_, err = r.ExecContext(ctx, `INSERT INTO media (sha256, kept, type, size, made_ms, made_by, erased_ms) VALUES ($1, $2, $3, $4, $5, $6, 0)
			ON CONFLICT (sha256) DO UPDATE SET kept = excluded.kept, type = excluded.type, size = excluded.size, made_ms = excluded.made_ms,
				made_by = excluded.made_by, erased_ms = 0`, i.SHA256, i.Kept, i.Type, i.Size, toMillis(i.Made), i.By)
		if err != nil {
			return err
		}
		return r.sayChange(ctx, said, by)
	})
}

// MediaItem implements media.Index.
func (d *DB) MediaItem(ctx context.Context, sha256 string) (i media.Item, ok bool, err error) {
	list, err := mediaItems(ctx, d.read, `WHERE sha256 = $1`, sha256)
	if err != nil {
		return i, false, fmt.Errorf("sqldb: media: %w", err)
	}
	if len(list) == 0 {
		return i, false, nil
	}
	return list[0], true, nil
}

// MediaItems implements media.Index: all there ever were, the erased ones too.
func (d *DB) MediaItems(ctx context.Context) ([]media.Item, error) {
	list, err := mediaItems(ctx, d.read, ``)
	if err != nil {
		return nil, fmt.Errorf("sqldb: media: %w", err)
	}
	return list, nil
}

// HasMedia implements desk.Book.
func (d *DB) HasMedia(ctx context.Context, sha256 string) (bool, error) {
	i, ok, err := d.MediaItem(ctx, sha256)
	return ok && i.Erased.IsZero(), err
}

// MediaPlaces returns the places of the events that a photo or voice note belongs to; "" stands for the co-op as a whole.
func (d *DB) MediaPlaces(ctx context.Context, sha256 string) ([]string, error) {
	var out []string
	err := each(ctx, d.read, func(scan func(...any) error) error {
		var place string
		err := scan(&place)
		out = append(out, place)
		return err
	}, `SELECT DISTINCT e.place FROM event_media m JOIN diary_event e ON e.id = m.event WHERE m.sha256 = $1 ORDER BY e.place`, sha256)
	if err != nil {
		return nil, fmt.Errorf("sqldb: media: %w", err)
	}
	return out, nil
}

// diaryChanges adds the rows of media, of holds and of recalls to those that leaves of kind `change` speak of.
func (d *DB) diaryChanges(ctx context.Context, add func(table, key string, body any) error) error {
	items, err := mediaItems(ctx, d.read, ``)
	if err != nil {
		return err
	}
	for _, i := range items {
		if err := add(mediaTable, i.SHA256, i); err != nil {
			return err
		}
	}
	held, err := holdRows(ctx, d.read, `1 = 1`)
	if err != nil {
		return err
	}
	for _, h := range held {
		if err := add(holdTable, h.key(), h); err != nil {
			return err
		}
	}
	asked, err := recallRows(ctx, d.read, `1 = 1`)
	if err != nil {
		return err
	}
	for _, a := range asked {
		if err := add(recallTable, a.ID, a); err != nil {
			return err
		}
	}
	return d.scanChanges(ctx, add)
}

package sqldb

import (
	"context"

	"aovuon/server/ledger"
)

// eraseDiary takes out of the diary, and of the events of goods, what says something of somebody: of events of their account note, position and whom they named, of all
// events their names; and marks the photos and voice notes they sent as erased, so that their files go.
func (r *record) eraseDiary(ctx context.Context, account string, names []string, by ledger.By) error {
	rows, err := entryRows(ctx, r, `1 = 1`)
	if err != nil {
		return err
	}
	for _, row := range rows {
		e, err := row.event()
		if err != nil {
			return err
		}
		kept, took := e.Erase(account != "" && row.Actor == account, names)
		if !took {
			continue
		}
		now, err := rowOf(kept)
		if err != nil {
			return err
		}
		at := millis(by.At)
		row.Body, row.Erased = now.Body, &at
		if err := r.eraseEntry(ctx, row, by); err != nil {
			return err
		}
	}
	if err := r.eraseRecalls(ctx, names, by); err != nil {
		return err
	}
	if err := r.eraseGoods(ctx, account, names, by); err != nil || account == "" {
		return err
	}
	return r.eraseMedia(ctx, account, by)
}

func (r *record) eraseEntry(ctx context.Context, row entryRow, by ledger.By) error {
	if _, err := r.ExecContext(ctx, `UPDATE diary_event SET body = $2, erased_ms = $3 WHERE id = $1`, row.ID, string(row.Body), toMillis(*row.Erased)); err != nil {
		return err
	}
	if err := r.eraseBodies(ctx, ledger.EntryKept, row.ID); err != nil {
		return err
	}
	if err := r.drawEntry(ctx, row.Root); err != nil {
		return err
	}
	return r.say(ctx, ledger.EntryKept, row.ID, row, by)
}

// eraseMedia takes out what an account sent, but for photos of the co-op's own papers: a certificate is no word about who photographed it.
func (r *record) eraseMedia(ctx context.Context, account string, by ledger.By) error {
	items, err := mediaItems(ctx, r, `WHERE made_by = $1 AND erased_ms = 0`, account)
	if err != nil {
		return err
	}
	papers := map[string]bool{}
	list, err := records(ctx, r, `$1 = '' OR kind = $1`, "")
	if err != nil {
		return err
	}
	for _, rec := range list {
		for _, sum := range rec.Photos() {
			papers[sum] = true
		}
	}
	for _, i := range items {
		if papers[i.SHA256] {
			continue
		}
		before := i
		i.Erased = millis(by.At)
		if _, err := r.ExecContext(ctx, `UPDATE media SET erased_ms = $2 WHERE sha256 = $1`, i.SHA256, toMillis(i.Erased)); err != nil {
			return err
		}
		if err := r.sayChange(ctx, changed{Table: mediaTable, Key: i.SHA256, Before: before, After: i}, by); err != nil {
			return err
		}
	}
	return nil
}

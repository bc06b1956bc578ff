package sqldb

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"aovuon/server/diary"
	"aovuon/server/diary/desk"
	"aovuon/server/trace"
	"aovuon/server/trace/kin"
)

// drawEntry draws the edges of an entry of the diary anew. It is called in the transaction that wrote an event of it, or a lot that it means.
func (r *record) drawEntry(ctx context.Context, root string) error {
	found, err := entryEdges(ctx, r, root)
	if err != nil {
		return err
	}
	return r.saveEdges(ctx, root, found)
}

// drawEvent draws the edges of the entry that an event is of.
func (r *record) drawEvent(ctx context.Context, id string) error {
	var root string
	if err := r.QueryRowContext(ctx, `SELECT root FROM diary_event WHERE id = $1`, id).Scan(&root); err != nil {
		return err
	}
	return r.drawEntry(ctx, root)
}

// drawKept draws what an event of the diary and the lots that follow it stand for.
func (r *record) drawKept(ctx context.Context, k desk.Keeping) error {
	for _, c := range k.Lots {
		if c.Was == nil {
			if err := r.drawMentions(ctx, c.Now.Lot.Code); err != nil {
				return err
			}
		}
	}
	if k.Event.ID == "" {
		return nil
	}
	return r.drawEvent(ctx, k.Event.ID)
}

// entryEdges works the edges of one entry out.
func entryEdges(ctx context.Context, q querier, root string) ([]kin.Edge, error) {
	rows, err := entryRows(ctx, q, `e.root = $1`, root)
	if err != nil {
		return nil, err
	}
	var list []diary.Event
	for _, row := range rows {
		e, err := row.event()
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	lots := kin.Lots{}
	if lots.Own, err = lotRefs(ctx, q, `SELECT gtin, lot FROM lot_harvest WHERE event = $1 ORDER BY gtin, lot`, root); err != nil {
		return nil, err
	}
	lots.Coded = func(code string) []trace.Ref {
		out, errC := lotRefs(ctx, q, `SELECT gtin, code FROM lot WHERE code = $1 ORDER BY gtin`, code)
		if errC != nil {
			err = errC
		}
		return out
	}
	var out []kin.Edge
	for _, e := range diary.Entries(list) {
		out = append(out, kin.OfEntry(e, lots)...)
	}
	return out, err
}

func lotRefs(ctx context.Context, q querier, query string, args ...any) (out []trace.Ref, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var l trace.Link
		err := scan(&l.GTIN, &l.Lot)
		out = append(out, l.Ref())
		return err
	}, query, args...)
	return out, err
}

// drawMentions draws the entries of the diary anew that name a lot's code: they may have been written before there was the lot.
func (r *record) drawMentions(ctx context.Context, code string) error {
	var roots []string
	err := each(ctx, r, func(scan func(...any) error) error {
		var root string
		err := scan(&root)
		roots = append(roots, root)
		return err
	}, `SELECT DISTINCT root FROM diary_event WHERE kind IN ($1, $2) AND body LIKE $3`, diary.Batch, diary.Sale, "%"+likeText(code)+"%")
	if err != nil {
		return err
	}
	for _, root := range roots {
		if err := r.drawEntry(ctx, root); err != nil {
			return err
		}
	}
	return nil
}

// likeText takes the signs that LIKE knows out of a code: what is found too much is drawn again, which changes nothing.
func likeText(code string) string {
	return strings.NewReplacer("%", "_", `\`, "_", `"`, "_", "&", "_", "<", "_", ">", "_").Replace(code)
}

// saveEdges replaces the edges of a source.
func (r *record) saveEdges(ctx context.Context, source string, edges []kin.Edge) error {
	if _, err := r.ExecContext(ctx, `DELETE FROM trace_edge WHERE source = $1`, source); err != nil {
		return err
	}
	for i, e := range edges {
		_, err := r.ExecContext(ctx, `INSERT INTO trace_edge (source, ordinal, from_ref, to_ref, at_ms, kg, items, diary, back, document) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			source, i, e.From.String(), e.To.String(), toMillis(e.At), e.KG, e.Count, flag(e.Diary), flag(e.Back), e.Document)
		if err != nil {
			return err
		}
	}
	return nil
}

// Out implements kin.Edges.
func (d *DB) Out(ctx context.Context, from []trace.Ref) ([]kin.Edge, error) {
	return edgesAt(ctx, d.read, "from_ref", from)
}

// In implements kin.Edges.
func (d *DB) In(ctx context.Context, to []trace.Ref) ([]kin.Edge, error) {
	return edgesAt(ctx, d.read, "to_ref", to)
}

// askedAtOnce bounds how many things one statement asks about.
const askedAtOnce = 500

func edgesAt(ctx context.Context, q querier, column string, refs []trace.Ref) (out []kin.Edge, err error) {
	for len(refs) > 0 {
		n := min(askedAtOnce, len(refs))
		marks, args := make([]string, n), make([]any, n)
		for i, ref := range refs[:n] {
			marks[i], args[i] = "$"+strconv.Itoa(i+1), ref.String()
		}
		refs = refs[n:]
		more, err := edgesWhere(ctx, q, column+` IN (`+strings.Join(marks, ", ")+`)`, args...)
		if err != nil {
			return nil, fmt.Errorf("sqldb: edges: %w", err)
		}
		out = append(out, more...)
	}
	return out, nil
}

func edgesWhere(ctx context.Context, q querier, where string, args ...any) (out []kin.Edge, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var e kin.Edge
		var from, to string
		var at, fromDiary, back int64
		if err := scan(&e.Source, &from, &to, &at, &e.KG, &e.Count, &fromDiary, &back, &e.Document); err != nil {
			return err
		}
		e.At, e.Diary, e.Back = fromMillis(at), fromDiary != 0, back != 0
		var err error
		if e.From, err = trace.ParseRef(from); err != nil {
			return err
		}
		e.To, err = trace.ParseRef(to)
		out = append(out, e)
		return err
	}, `SELECT source, from_ref, to_ref, at_ms, kg, items, diary, back, document FROM trace_edge WHERE `+where+` ORDER BY source, ordinal`, args...)
	return out, err
}

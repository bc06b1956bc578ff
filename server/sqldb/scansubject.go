package sqldb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"aovuon/server/trace"
	"aovuon/server/trace/scan"
)

// subjectsAtOnce bounds how many codes one query names.
const subjectsAtOnce = 200

// ssccLen is how many digits the number of a box has.
const ssccLen = 18

// mostUnits is how far the items of a lot are counted: of more nobody asks how many there are.
const mostUnits = 100_000

// Subjects implements scan.Store.
func (d *DB) Subjects(ctx context.Context, codes []string) (map[string]scan.Subject, error) {
	out := map[string]scan.Subject{}
	serials, boxes := map[string]string{}, map[string]string{} // to the code
	for _, code := range codes {
		if at := strings.LastIndexByte(code, '/'); at >= 0 && trace.BoxAddress("", code[at+1:]) == code && len(code[at+1:]) == ssccLen {
			boxes[code[at+1:]] = code
			continue
		}
		l, err := trace.ParseLink(code, "")
		switch {
		case err != nil:
		case l.Serial != "":
			serials[l.Serial] = code
		case l.Lot != "":
			s, ok, err := d.lotSubject(ctx, l)
			if err != nil {
				return nil, fmt.Errorf("sqldb: lot of a code: %w", err)
			}
			if ok {
				out[code] = s
			}
		}
	}
	if err := d.itemSubjects(ctx, serials, out); err != nil {
		return nil, fmt.Errorf("sqldb: items of codes: %w", err)
	}
	if err := d.boxSubjects(ctx, boxes, out); err != nil {
		return nil, fmt.Errorf("sqldb: boxes of codes: %w", err)
	}
	return out, nil
}

// chunks calls f with at most subjectsAtOnce keys at a time, and the text of as many parameters.
func chunks(of map[string]string, f func(in string, args []any) error) error {
	var args []any
	send := func() error {
		var in []string
		for i := range args {
			in = append(in, fmt.Sprintf("$%d", i+1))
		}
		err := f(strings.Join(in, ", "), args)
		args = nil
		return err
	}
	for k := range of {
		if args = append(args, k); len(args) == subjectsAtOnce {
			if err := send(); err != nil {
				return err
			}
		}
	}
	if len(args) == 0 {
		return nil
	}
	return send()
}

func (d *DB) itemSubjects(ctx context.Context, serials map[string]string, out map[string]scan.Subject) error {
	return chunks(serials, func(in string, args []any) error {
		return each(ctx, d.read, func(scanRow func(...any) error) error {
			s := scan.Subject{Kind: scan.OfItem}
			var serial string
			var changed, sold int64
			if err := scanRow(&serial, &s.GTIN, &s.Lot, &s.State, &changed, &sold); err != nil {
				return err
			}
			l, err := trace.ParseLink(serials[serial], "")
			if err != nil || l.GTIN != s.GTIN || l.Lot != "" && l.Lot != s.Lot {
				return nil //nolint:nilerr // a serial of ours under another lot: nobody issued that code
			}
			if sold > 0 && stillSold(s.State, fromMillis(changed), fromMillis(sold)) {
				s.State, s.Sold = trace.ItemSold, fromMillis(sold)
			}
			out[serials[serial]] = s
			return nil
		}, `SELECT i.serial, i.gtin, i.lot, i.state, i.changed_ms, COALESCE(s.at_ms, 0) FROM item i LEFT JOIN item_sold s ON s.serial = i.serial WHERE i.serial IN (`+in+`)`, args...)
	})
}

func (d *DB) boxSubjects(ctx context.Context, boxes map[string]string, out map[string]scan.Subject) error {
	return chunks(boxes, func(in string, args []any) error {
		return each(ctx, d.read, func(scanRow func(...any) error) error {
			s := scan.Subject{Kind: scan.OfBox}
			var sscc string
			if err := scanRow(&sscc, &s.State, &s.GTIN, &s.Lot); err != nil {
				return err
			}
			out[boxes[sscc]] = s
			return nil
		}, `SELECT b.sscc, b.state, COALESCE((SELECT MIN(i.gtin) FROM item i WHERE i.box = b.sscc), ''), COALESCE((SELECT MIN(i.lot) FROM item i WHERE i.box = b.sscc), '')
			FROM box b WHERE b.sscc IN (`+in+`)`, args...)
	})
}

// lotSubject returns a lot with how many packs there are of it: its items, without any its kilograms, of which each buyer takes one at least.
func (d *DB) lotSubject(ctx context.Context, l trace.Link) (s scan.Subject, ok bool, err error) {
	lots := 0
	var kg float64
	var items int
	err = each(ctx, d.read, func(scanRow func(...any) error) error {
		lots++
		return scanRow(&kg, &items)
	}, `SELECT kg, (SELECT COUNT(*) FROM (SELECT 1 FROM item i WHERE i.gtin = $1 AND i.lot = $2 AND i.state <> 'void' LIMIT $3) AS packs) FROM lot WHERE gtin = $1 AND code = $2`,
		l.GTIN, l.Lot, mostUnits)
	if err != nil || lots == 0 {
		return scan.Subject{}, false, err
	}
	s = scan.Subject{Kind: scan.OfLot, GTIN: l.GTIN, Lot: l.Lot, Units: items}
	if items == 0 {
		s.Units = int(kg)
	}
	return s, true, nil
}

// stillSold reports whether an item that somebody said was sold still is: what came back since, or was destroyed, is not.
func stillSold(state trace.ItemState, changed, sold time.Time) bool {
	switch state {
	case trace.ItemShipped, trace.ItemSold:
		return true
	case trace.ItemActivated:
		return !sold.Before(changed)
	case trace.ItemPrinted, trace.ItemVoid:
	}
	return false
}

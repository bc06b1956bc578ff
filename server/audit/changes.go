package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aovuon/server/ledger"
)

// rowsSaid is what the leaves about one subject of kind `change` come to: the rows that its table has to have.
type rowsSaid struct {
	table string // of a change; else the kind
	rows  []json.RawMessage
	leaf  int64 // the newest
	lost  []int64
	wrong bool
}

// insideRow names a row of which strangers are not told: table and key of a change, else the kind and its subject.
func insideRow(kind ledger.Kind, subject string) string {
	if kind == ledger.Changed {
		return subject
	}
	return string(kind) + " " + subject
}

// readChanges goes through the leaves of kind `change`, and of the kinds whose newest leaf is the row as it is: the farm's register, the diary, goods.
func (a *auditor) readChanges(ctx context.Context) (map[string]*rowsSaid, error) {
	said := map[string]*rowsSaid{}
	for n, l := range a.tree.leaves {
		if l.Kind != ledger.Changed && l.Kind != ledger.RecordSaved && l.Kind != ledger.EntryKept && l.Kind != ledger.GoodsMoved {
			continue
		}
		s := said[insideRow(l.Kind, l.Subject)]
		if s == nil {
			s = &rowsSaid{table: string(l.Kind)}
			if l.Kind == ledger.Changed {
				s.table, _, _ = strings.Cut(l.Subject, "/")
			}
			said[insideRow(l.Kind, l.Subject)] = s
		}
		s.leaf = int64(n)
		body, there, err := a.inside(ctx, int64(n), l)
		if err != nil {
			return nil, err
		}
		switch {
		case !there:
			s.lost = append(s.lost, int64(n))
		case body == nil:
			s.wrong = true
		case l.Kind != ledger.Changed:
			if erased(body) { // what was said before is gone with right
				s.lost = nil
			}
			s.rows = []json.RawMessage{body}
		default:
			if err := s.apply(l.Subject, body); err != nil {
				a.report.find(fmt.Sprintf("leaf %d", n), "%v", err)
			}
		}
	}
	return said, nil
}

// apply takes one change in: what was before goes, what is after comes. A consent that is given has nothing before it, even where there
// was one that was withdrawn.
func (s *rowsSaid) apply(subject string, body []byte) error {
	var c struct {
		Table, Key    string
		Before, After json.RawMessage
	}
	if err := json.Unmarshal(body, &c); err != nil {
		return fmt.Errorf("audit: a change of %s: %w", subject, err)
	}
	if c.Table+"/"+c.Key != subject {
		return fmt.Errorf("audit: a change of %s/%s stands under the name of %s", c.Table, c.Key, subject)
	}
	if (c.Table == "person" || c.Table == "contact") && erased(c.After) {
		s.rows, s.lost = nil, nil // what was said before is gone with right
	}
	if c.Before != nil {
		i := slices.IndexFunc(s.rows, func(r json.RawMessage) bool { return sameJSON(r, c.Before) })
		if i < 0 && !s.wrong && len(s.lost) == 0 {
			return fmt.Errorf("audit: a change of %s tells of a row before it that no leaf before it tells of", subject)
		}
		if i >= 0 {
			s.rows = slices.Delete(s.rows, i, i+1)
		}
	}
	if c.After != nil {
		s.rows = append(s.rows, c.After)
	}
	return nil
}

// erased reports whether what is left says that what said something of a person was taken out.
func erased(row json.RawMessage) bool {
	var p struct {
		Erased string `json:"erased"`
	}
	return json.Unmarshal(row, &p) == nil && p.Erased != ""
}

// compareChanges compares rows with what the leaves come to, both ways. Leaves about tables that the source does not show are told of.
func (a *auditor) compareChanges(rows []ledger.Row, tables []string, said map[string]*rowsSaid) {
	a.report.Changes = len(rows)
	now := map[string][]json.RawMessage{}
	for _, r := range rows {
		row := insideRow(r.Kind, r.Subject)
		now[row] = append(now[row], r.Body)
		if said[row] == nil {
			a.report.find("row "+row, "the ledger does not speak of it")
		}
	}
	unknown := map[string]bool{}
	for _, row := range slices.Sorted(maps.Keys(said)) {
		s, where := said[row], "row "+row
		switch {
		case !slices.Contains(tables, s.table):
			unknown[s.table] = true
		case len(s.lost) > 0:
			a.report.find(where, "the body of leaf %d was taken away, and no erasure is on record", s.lost[0])
		case s.wrong:
		case len(now[row]) < len(s.rows):
			a.report.find(where, "is gone; leaf %d and those before speak of it", s.leaf)
		case !sameRows(now[row], s.rows):
			a.report.find(where, "is not what leaf %d and those before say", s.leaf)
		}
	}
	for _, table := range slices.Sorted(maps.Keys(unknown)) {
		a.report.note("rows of table %.40q: this program does not know them", table)
	}
}

// sameRows reports whether two lists hold the same rows, in whatever order.
func sameRows(a, b []json.RawMessage) bool {
	rest := slices.Clone(b)
	for _, r := range a {
		i := slices.IndexFunc(rest, func(s json.RawMessage) bool { return sameJSON(r, s) })
		if i < 0 {
			return false
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return len(rest) == 0
}

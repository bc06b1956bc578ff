package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"aovuon/server/ledger"
	"aovuon/server/trace/scan"
)

// Suspects returns the codes whose scans are unusual and that nobody has found in order, the newest first; at most so many.
func (d *DB) Suspects(ctx context.Context, most int) ([]scan.Suspect, error) {
	var out []scan.Suspect
	err := each(ctx, d.read, func(scanRow func(...any) error) error {
		s, err := readSummary(scanRow)
		out = append(out, scan.Suspect{Summary: s})
		return err
	}, summaryColumns+`WHERE unusual <> '' ORDER BY found_ms DESC, code LIMIT $1`, most)
	for i := range out {
		if err == nil {
			err = d.fillSuspect(ctx, &out[i])
		}
	}
	if err != nil {
		return nil, fmt.Errorf("sqldb: suspicious codes: %w", err)
	}
	return out, nil
}

// Suspect returns what is known of one code; ok is false where it was never scanned.
func (d *DB) Suspect(ctx context.Context, code string) (s scan.Suspect, ok bool, err error) {
	if s.Summary, ok, err = d.ScanSummary(ctx, code); err != nil || !ok {
		return s, ok, err
	}
	if err := d.fillSuspect(ctx, &s); err != nil {
		return s, false, fmt.Errorf("sqldb: suspicious code: %w", err)
	}
	return s, true, nil
}

func (d *DB) fillSuspect(ctx context.Context, s *scan.Suspect) error {
	err := each(ctx, d.read, func(scanRow func(...any) error) error {
		var body string
		if err := scanRow(&body); err != nil {
			return err
		}
		var f scan.Finding
		if err := json.Unmarshal([]byte(body), &f); err != nil {
			return fmt.Errorf("finding: %w", err)
		}
		s.Found = append(s.Found, f)
		return nil
	}, `SELECT body FROM scan_finding WHERE code = $1 AND over_ms = 0 ORDER BY first_ms, rule`, s.Code)
	if err != nil {
		return err
	}
	decisions, err := decisionsOf(ctx, d.read, s.Code, 1)
	if len(decisions) > 0 {
		s.Decision = decisions[0]
	}
	return err
}

// ScanDecisions returns what was decided of a code, the newest first.
func (d *DB) ScanDecisions(ctx context.Context, code string) ([]scan.Decision, error) {
	out, err := decisionsOf(ctx, d.read, code, 100)
	if err != nil {
		return nil, fmt.Errorf("sqldb: decisions: %w", err)
	}
	return out, nil
}

func decisionsOf(ctx context.Context, q querier, code string, most int) ([]scan.Decision, error) {
	return decisionsWhere(ctx, q, `code = $1 ORDER BY at_ms DESC, id DESC LIMIT $2`, code, most)
}

func decisionsWhere(ctx context.Context, q querier, where string, args ...any) (out []scan.Decision, err error) {
	err = each(ctx, q, func(scanRow func(...any) error) error {
		var x scan.Decision
		var rules string
		var at int64
		err := scanRow(&x.ID, &x.Code, &x.Verdict, &rules, &x.Note, &at, &x.Actor)
		x.At = fromMillis(at)
		for r := range strings.FieldsSeq(rules) {
			x.Rules = append(x.Rules, scan.Rule(r))
		}
		out = append(out, x)
		return err
	}, `SELECT id, code, verdict, rules, note, at_ms, actor FROM scan_decision WHERE `+where, args...)
	return out, err
}

// Decide keeps what somebody decided of a code. Found in order, nothing is unusual about it any more, and what was scanned until then counts no
// more; copied, it stays unusual. The error wraps ErrNoScans.
func (d *DB) Decide(ctx context.Context, x scan.Decision, by ledger.By) error {
	x.At, x.Actor = by.At.UTC().Truncate(time.Millisecond), by.Actor
	return d.record(ctx, "decide on scans", func(r *record) error {
		s, err := readSummary(r.QueryRowContext(ctx, summaryColumns+`WHERE code = $1`, x.Code).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return scan.ErrNoScans
		}
		if err != nil {
			return err
		}
		x.Rules = s.Unusual
		var names []string
		for _, rule := range x.Rules {
			names = append(names, string(rule))
		}
		_, err = r.ExecContext(ctx, `INSERT INTO scan_decision (id, code, verdict, rules, note, at_ms, actor) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			x.ID, x.Code, string(x.Verdict), strings.Join(names, " "), x.Note, toMillis(x.At), x.Actor)
		if err != nil {
			return err
		}
		if x.Verdict == scan.InOrder {
			if _, err := r.ExecContext(ctx, `UPDATE scan_finding SET over_ms = $2 WHERE code = $1 AND over_ms = 0`, x.Code, toMillis(x.At)); err != nil {
				return err
			}
			if _, err := r.ExecContext(ctx, `UPDATE scan_code SET unusual = '', cleared_ms = $2 WHERE code = $1`, x.Code, toMillis(x.At)); err != nil {
				return err
			}
		}
		return r.sayChange(ctx, changed{Table: decisionTable, Key: x.ID, After: x}, by)
	})
}

// ScanDays returns the figures of the days since one, by day.
func (d *DB) ScanDays(ctx context.Context, since time.Time) (map[string]scan.Day, error) {
	out := map[string]scan.Day{}
	err := each(ctx, d.read, func(scanRow func(...any) error) error {
		var day string
		var n scan.Day
		err := scanRow(&day, &n.Scans, &n.Again, &n.Robots, &n.Own, &n.Unknown, &n.Swept, &n.Lost)
		out[day] = n
		return err
	}, `SELECT day, scans, again, robots, own, unknown, swept, lost FROM scan_day WHERE day >= $1`, dayOf(since))
	if err != nil {
		return nil, fmt.Errorf("sqldb: days of scans: %w", err)
	}
	return out, nil
}

// ScanProvinces returns how many scans since a time came from each province; "" is of those nobody knows.
func (d *DB) ScanProvinces(ctx context.Context, since time.Time) (map[string]int, error) {
	out := map[string]int{}
	err := each(ctx, d.read, func(scanRow func(...any) error) error {
		var province string
		var n int
		err := scanRow(&province, &n)
		out[province] = n
		return err
	}, `SELECT province, COUNT(*) FROM scan_row WHERE at_ms >= $1 GROUP BY province`, toMillis(since))
	if err != nil {
		return nil, fmt.Errorf("sqldb: provinces of scans: %w", err)
	}
	return out, nil
}

// Sweeps returns the browsers that looked at very many codes since a time, the newest first; at most so many.
func (d *DB) Sweeps(ctx context.Context, since time.Time, most int) ([]scan.Sweep, error) {
	var out []scan.Sweep
	err := each(ctx, d.read, func(scanRow func(...any) error) error {
		var s scan.Sweep
		var client []byte
		var first, last int64
		err := scanRow(&client, &first, &last, &s.Province, &s.Codes, &s.Unknown)
		s.First, s.Last = fromMillis(first), fromMillis(last)
		copy(s.Client[:], client)
		out = append(out, s)
		return err
	}, `SELECT client, first_ms, last_ms, province, codes, unknown FROM scan_sweep WHERE last_ms >= $1 ORDER BY last_ms DESC LIMIT $2`, toMillis(since), most)
	if err != nil {
		return nil, fmt.Errorf("sqldb: sweeps: %w", err)
	}
	return out, nil
}

// scanChanges returns what was decided of scans, and which shops there are.
func (d *DB) scanChanges(ctx context.Context, add func(table, key string, body any) error) error {
	decisions, err := decisionsWhere(ctx, d.read, `1 = 1 ORDER BY id`)
	if err != nil {
		return err
	}
	for _, x := range decisions {
		if err := add(decisionTable, x.ID, x); err != nil {
			return err
		}
	}
	shops, err := shopsWhere(ctx, d.read, `1 = 1 ORDER BY id`)
	if err != nil {
		return err
	}
	for _, s := range shops {
		if err := add(shopTable, s.ID, s); err != nil {
			return err
		}
	}
	return nil
}

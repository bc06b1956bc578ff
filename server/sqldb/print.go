package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"aovuon/server/ledger"
	"aovuon/server/trace"
	"aovuon/server/trace/printjob"
)

// prints reads print jobs within a transaction.
type prints struct {
	q interface {
		querier
		rower
	}
}

// printShelf is what prints are checked against.
type printShelf struct {
	*shelf
	prints
}

// Print runs f in one write transaction and keeps the job that it returns, with its leaf; one without an ID is not kept.
func (d *DB) Print(ctx context.Context, by ledger.By, f func(ctx context.Context, s printjob.Shelf) (printjob.Job, error)) error {
	return d.record(ctx, "print labels", func(r *record) error {
		j, err := f(ctx, printShelf{&shelf{r}, prints{r}})
		if err != nil || j.ID == "" {
			return err
		}
		return r.savePrint(ctx, j, by)
	})
}

// LookPrints runs f on one snapshot.
func (d *DB) LookPrints(ctx context.Context, f func(ctx context.Context, s printjob.Shelf) error) error {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: d.snapshot()})
	if err != nil {
		return fmt.Errorf("sqldb: prints: %w", err)
	}
	return closing(tx, f(ctx, printShelf{&shelf{tx}, prints{tx}}))
}

func (r *record) savePrint(ctx context.Context, j printjob.Job, by ledger.By) error {
	said := j.Said()
	paper, err := json.Marshal(j.Paper)
	if err != nil {
		return err
	}
	gtin, lot := j.Lot.GTIN, j.Lot.Lot
	_, err = r.ExecContext(ctx, `INSERT INTO print_job (id, made_ms, actor, run, gtin, lot, labels, again, reason, paper) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		j.ID, said.Made, by.Actor, j.Run, gtin, lot, said.Labels, j.Again, string(j.Reason), string(paper))
	if err != nil {
		return err
	}
	for i, sscc := range said.Boxes {
		if _, err := r.ExecContext(ctx, `INSERT INTO print_box (job, ordinal, sscc) VALUES ($1, $2, $3)`, j.ID, i, sscc); err != nil {
			return err
		}
	}
	return r.say(ctx, ledger.LabelsPrinted, "print/"+j.ID, said, by)
}

// most is how many labels ParseRanges may read of a row.
const mostLabels = 1 << 20

// jobs returns the print jobs of a condition.
func (p prints) jobs(ctx context.Context, where string, args ...any) ([]printjob.Job, error) {
	var out []printjob.Job
	err := each(ctx, p.q, func(scan func(...any) error) error {
		var j printjob.Job
		var made int64
		var labels, paper string
		if err := scan(&j.ID, &made, &j.Actor, &j.Run, &j.Lot.GTIN, &j.Lot.Lot, &labels, &j.Again, &j.Reason, &paper); err != nil {
			return err
		}
		j.Made = fromMillis(made)
		if err := json.Unmarshal([]byte(paper), &j.Paper); err != nil {
			return fmt.Errorf("print job %s: paper: %w", j.ID, err)
		}
		if labels != "" {
			list, err := printjob.ParseRanges(labels, mostLabels)
			if err != nil {
				return fmt.Errorf("print job %s: %w", j.ID, err)
			}
			for _, n := range list {
				j.Marks = append(j.Marks, printjob.Mark{N: n})
			}
		}
		out = append(out, j)
		return nil
	}, `SELECT id, made_ms, actor, run, gtin, lot, labels, again, reason, paper FROM print_job WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	for i := range out {
		err := each(ctx, p.q, func(scan func(...any) error) error {
			var m printjob.Mark
			err := scan(&m.ID)
			out[i].Marks = append(out[i].Marks, m)
			return err
		}, `SELECT sscc FROM print_box WHERE job = $1 ORDER BY ordinal`, out[i].ID)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PrintJob implements printjob.Prints.
func (p prints) PrintJob(ctx context.Context, id string) (printjob.Job, bool, error) {
	list, err := p.jobs(ctx, `id = $1`, id)
	if err != nil || len(list) == 0 {
		return printjob.Job{}, false, err
	}
	return list[0], true, nil
}

// PrintedOf implements printjob.Prints.
func (p prints) PrintedOf(ctx context.Context, run string) (map[int]bool, error) {
	list, err := p.jobs(ctx, `run = $1 AND again = ''`, run)
	out := map[int]bool{}
	for _, j := range list {
		for _, m := range j.Marks {
			out[m.N] = true
		}
	}
	return out, err
}

// PrintedBox implements printjob.Prints.
func (p prints) PrintedBox(ctx context.Context, sscc string) (job string, err error) {
	err = p.q.QueryRowContext(ctx, `SELECT j.id FROM print_box b JOIN print_job j ON j.id = b.job WHERE b.sscc = $1 AND j.again = '' ORDER BY j.id LIMIT 1`, sscc).Scan(&job)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return job, err
}

// PrintedAgain implements printjob.Prints.
func (p prints) PrintedAgain(ctx context.Context, job string) ([]printjob.Job, error) {
	return p.jobs(ctx, `again = $1 ORDER BY id`, job)
}

// PrintJobs implements printjob.Prints.
func (p prints) PrintJobs(ctx context.Context, before string, lot trace.Link, most int) ([]printjob.Job, error) {
	var conditions []string
	var args []any
	is := func(condition string, value any) {
		args = append(args, value)
		conditions = append(conditions, fmt.Sprintf(condition, len(args)))
	}
	if before != "" {
		is("id < $%d", before)
	}
	if lot.Lot != "" {
		is("gtin = $%d", lot.GTIN)
		is("lot = $%d", lot.Lot)
	}
	args = append(args, most)
	where := strings.Join(append(conditions, "1 = 1"), " AND ")
	return p.jobs(ctx, where+fmt.Sprintf(" ORDER BY id DESC LIMIT $%d", len(args)), args...)
}

// printRows are the print jobs as the ledger tells of them.
func (d *DB) printRows(ctx context.Context, add func(kind ledger.Kind, subject string, body any) error) error {
	list, err := prints{d.read}.jobs(ctx, `1 = 1 ORDER BY id`)
	if err != nil {
		return err
	}
	for _, j := range list {
		if err := add(ledger.LabelsPrinted, "print/"+j.ID, j.Said()); err != nil {
			return err
		}
	}
	return nil
}

package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aovuon/server/diary"
	"aovuon/server/ledger"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// Leaves implements flow.Proofs.
func (s *shelf) Leaves(ctx context.Context, kind ledger.Kind, subjects []string) (out []flow.Said, err error) {
	for some := range slices.Chunk(subjects, 500) {
		args := []any{string(kind)}
		marks := make([]string, len(some))
		for i, subject := range some {
			args = append(args, subject)
			marks[i] = fmt.Sprintf("$%d", i+2)
		}
		err := each(ctx, s.q, func(scan func(...any) error) error {
			said := flow.Said{Kind: kind}
			var raw []byte
			if err := scan(&said.Leaf, &said.Subject, &raw); err != nil {
				return err
			}
			leaf, err := ledger.ParseLeaf(raw)
			if err != nil {
				return fmt.Errorf("leaf %d: %w", said.Leaf, err)
			}
			hash := leaf.Hash()
			said.Hash = hash[:]
			out = append(out, said)
			return nil
		}, `SELECT n, subject, leaf FROM ledger_leaf WHERE n IN (SELECT MAX(n) FROM ledger_leaf WHERE kind = $1 AND subject IN (`+strings.Join(marks, ", ")+`) GROUP BY subject) ORDER BY n`, args...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Entries implements flow.Proofs.
func (s *shelf) Entries(ctx context.Context, l trace.Lot) ([]string, error) {
	like, err := mention(l.Code)
	if err != nil {
		return nil, err
	}
	where := []string{`kind IN ($1, $2) AND body LIKE $3 ESCAPE '!'`}
	args := []any{diary.Sale, diary.Batch, like}
	if l.Cycle != "" {
		args = append(args, l.Cycle)
		where = append(where, fmt.Sprintf(`cycle = $%d`, len(args)))
	}
	for _, h := range l.Harvests {
		args = append(args, h)
		where = append(where, fmt.Sprintf(`id = $%d`, len(args)))
	}
	var out []string
	err = each(ctx, s.q, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		out = append(out, id)
		return err
	}, `SELECT id FROM diary_event WHERE root IN (SELECT root FROM diary_event WHERE `+strings.Join(where, " OR ")+`) ORDER BY id`, args...)
	return out, err
}

// Seal implements flow.Proofs.
func (s *shelf) Seal(ctx context.Context, l trace.Link) (*trace.Seal, error) {
	return lastSeal(ctx, s.q, l)
}

// Weighed implements flow.Proofs.
func (s *shelf) Weighed(ctx context.Context, l trace.Link) (out []trace.Evidence, err error) {
	err = each(ctx, s.q, func(scan func(...any) error) error {
		var body string
		if err := scan(&body); err != nil {
			return err
		}
		var e trace.Evidence
		if err := json.Unmarshal([]byte(body), &e); err != nil {
			return fmt.Errorf("evidence of lot %s: %w", l.Lot, err)
		}
		out = append(out, e)
		return nil
	}, `SELECT body FROM evidence WHERE gtin = $1 AND lot = $2 ORDER BY ordinal`, l.GTIN, l.Lot)
	return out, err
}

// Heads implements flow.Proofs.
func (s *shelf) Heads(ctx context.Context) (position int64, chains []ledger.ChainHead, err error) {
	if err := s.q.QueryRowContext(ctx, `SELECT position FROM log_end WHERE id = 1`).Scan(&position); err != nil {
		return 0, nil, err
	}
	chains, err = chainHeads(ctx, s.q)
	return position, chains, err
}

func lastSeal(ctx context.Context, q rower, l trace.Link) (*trace.Seal, error) {
	var body []byte
	err := q.QueryRowContext(ctx, `SELECT b.body FROM ledger_leaf l JOIN ledger_body b ON b.n = l.n
		WHERE l.subject = $1 AND l.kind = $2 ORDER BY l.n DESC LIMIT 1`, l.Path(), string(ledger.LotSealed)).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) || err == nil && body == nil {
		return nil, nil //nolint:nilnil // no seal is no error
	}
	if err != nil {
		return nil, err
	}
	var s trace.Seal
	if err := json.Unmarshal(body, &s); err != nil {
		return nil, err
	}
	return &s, nil
}

// mention is a LIKE pattern, with ! as its escape, of a JSON body that has a text as a value.
func mention(text string) (string, error) {
	raw, err := json.Marshal(text)
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(string(raw)) + "%", err
}

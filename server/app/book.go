package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"golang.org/x/mod/sumdb/note"

	"aovuon/server/book"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/web"
)

type bookCmd struct {
	Cycle    string `arg:"" optional:"" help:"Id of the season; without one the seasons are listed."`
	Standard string `help:"vietgap-fish, vietgap-crop, gacp, organic or processing; the likeliest of the season by itself."`
	Out      string `help:"File to write: .pdf or .xlsx." placeholder:"FILE"`
	Lang     string `default:"vi" enum:"vi,en" help:"Language: vi or en."`
	NoNames  bool   `help:"Pseudonyms in place of the names of those who wrote."`
}

// Run writes a book, or lists the seasons.
func (cmd *bookCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		if cmd.Cycle == "" {
			return listBooks(ctx, e, db)
		}
		return cmd.write(ctx, e, c, db)
	})
}

func (cmd *bookCmd) write(ctx context.Context, e *env, c Config, db *sqldb.DB) (err error) {
	write := book.WritePDF
	switch strings.ToLower(filepath.Ext(cmd.Out)) {
	case ".pdf":
	case ".xlsx":
		write = book.WriteXLSX
	default:
		return fmt.Errorf("book: --out %q: want a file that ends in .pdf or .xlsx", cmd.Out)
	}
	history, err := c.openHistory(ctx, db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, history.Close()) }()
	b, err := web.RecordBook(ctx, web.BookSources{
		Gates: assessor(deps{config: c, db: db, history: history, now: e.now}), Standings: db.DiaryLots,
		Farm: db, Book: db, Calibrations: db, History: history, People: db.Accounts,
		Head: func(ctx context.Context) (*book.Head, error) { return ledgerHead(ctx, c, db) },
	}, web.BookAsk{
		Cycle: cmd.Cycle, Standard: book.Standard(cmd.Standard), Lang: cmd.Lang, Now: e.now(),
		May: func(string) bool { return true }, Names: func(string) bool { return !cmd.NoNames },
	})
	if err != nil {
		return fmt.Errorf("%w (server book lists the seasons)", err)
	}
	var buf bytes.Buffer
	if err := write(&buf, b); err != nil {
		return err
	}
	if err := os.WriteFile(cmd.Out, buf.Bytes(), 0o600); err != nil {
		return fmt.Errorf("book: %w", err)
	}
	return e.printf("%s: %s, %s, %d bytes\n", cmd.Out, b.Standard, b.Cycle, buf.Len())
}

// ledgerHead reads the newest signed head as books print it.
func ledgerHead(ctx context.Context, c Config, db *sqldb.DB) (*book.Head, error) {
	raw, err := db.Checkpoint(ctx, 0)
	if err != nil || raw == nil {
		return nil, err
	}
	_, vkey, err := c.loadLedgerKey()
	if err != nil {
		return nil, err
	}
	own, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("book: ledger key: %w", err)
	}
	policy, err := c.ownPolicy()
	if err != nil {
		return nil, err
	}
	var witnesses []note.Verifier
	for _, x := range policy.Witnesses {
		witnesses = append(witnesses, x.Verifier)
	}
	h, n, err := ledger.OpenHead(raw, own, witnesses...)
	if err != nil {
		return nil, err
	}
	return web.BookHead(h, policy.SeenBy(n), strings.TrimSuffix(c.PublicURL, "/")), nil
}

func listBooks(ctx context.Context, e *env, db *sqldb.DB) error {
	cycles, err := db.Records(ctx, farm.Cycle)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
	if _, err := fmt.Fprintln(w, "CYCLE\tPLACE\tBEGIN\tEND\tNAME\tSTANDARDS"); err != nil {
		return err
	}
	for _, r := range cycles {
		end := r.Values.Text("end")
		if end == "" {
			end = "-"
		}
		if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%v\n", r.ID, r.Values.Text("place"), r.Values.Text("begin"), end, r.Name(), book.Of(r)); err != nil {
			return err
		}
	}
	return w.Flush()
}

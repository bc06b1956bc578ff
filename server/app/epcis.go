package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/sqldb"
	"aovuon/server/trace"
	"aovuon/server/trace/epcis"
)

// checkNumbers finds numbers of GS1's that cannot be.
func (t TraceConfig) checkNumbers() *keyError {
	if p := t.Prefix; p != "" && (strings.Trim(p, "0123456789") != "" || len(p) < 7 || len(p) > 10) {
		return &keyError{"trace.gs1_prefix", fmt.Sprintf("%q is no company prefix", p), "write the 7 to 10 digits that GS1 gave you, or nothing"}
	}
	if p := t.Prefix; strings.HasPrefix(p, "04") || strings.HasPrefix(p, "02") || strings.HasPrefix(p, "2") {
		return &keyError{"trace.gs1_prefix", fmt.Sprintf("%q is kept for use within a company", p), "leave it out: the server then uses numbers of its own"}
	}
	if g := t.GLN; g != "" && (len(g) != 13 || strings.Trim(g, "0123456789") != "" || farm.CheckDigit(g[:12]) != g[12]) {
		return &keyError{"trace.gln", fmt.Sprintf("%q is no GLN", g), "write its 13 digits, the last of them right, or nothing"}
	}
	return nil
}

// storyteller collects what EPCIS events are told from.
func storyteller(c Config, db *sqldb.DB) *epcis.Gatherer {
	return &epcis.Gatherer{
		Names: epcis.Names{Base: strings.TrimSuffix(c.PublicURL, "/"), GLN: c.Trace.GLN, Prefix: c.Trace.Prefix}, Lots: db, Book: db, Goods: db,
	}
}

type epcisCmd struct {
	Export epcisExportCmd `cmd:"" help:"Write events as an EPCIS 2.0 document: of a lot and all it is made of, or of a time."`
	Check  epcisCheckCmd  `cmd:"" help:"Say what is wrong with an EPCIS 2.0 document, event by event."`
}

type epcisExportCmd struct {
	Lot    string `arg:"" optional:"" help:"The lot's code, or the path of its label."`
	From   string `help:"First day: yyyy-mm-dd." placeholder:"DAY"`
	To     string `help:"Last day." placeholder:"DAY"`
	Public bool   `help:"Only what strangers may know: no buyers, suppliers, documents, serials and boxes."`
	Out    string `default:"-" help:"File to write; - for standard output." placeholder:"FILE"`
}

// Run writes the document.
func (cmd *epcisExportCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	if (cmd.Lot == "") == (cmd.From == "" || cmd.To == "") {
		return errors.New("epcis: name a lot, or --from and --to")
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		src, err := cmd.source(ctx, storyteller(c, db), db)
		if err != nil {
			return err
		}
		return e.output(cmd.Out, "events", func(w io.Writer) error { return epcis.Write(w, src.Names.Document(epcis.Export(src), e.now())) })
	})
}

func (cmd *epcisExportCmd) source(ctx context.Context, g *epcis.Gatherer, db *sqldb.DB) (epcis.Source, error) {
	if cmd.Lot != "" {
		link, err := findLot(ctx, db, cmd.Lot)
		if err != nil {
			return epcis.Source{}, err
		}
		return g.Lot(ctx, trace.Link{GTIN: link.GTIN, Lot: link.Lot}, !cmd.Public)
	}
	from, errFrom := time.ParseInLocation(time.DateOnly, cmd.From, farm.Time())
	to, errTo := time.ParseInLocation(time.DateOnly, cmd.To, farm.Time())
	if errFrom != nil || errTo != nil || to.Before(from) {
		return epcis.Source{}, fmt.Errorf("epcis: --from %q --to %q: want days as 2026-10-01, the first not after the last", cmd.From, cmd.To)
	}
	return g.Period(ctx, from, to.AddDate(0, 0, 1), !cmd.Public)
}

type epcisCheckCmd struct {
	File string `arg:"" help:"The document." type:"existingfile"`
}

// Run prints what is wrong.
func (cmd *epcisCheckCmd) Run(e *env) error {
	raw, err := os.ReadFile(cmd.File)
	if err != nil {
		return err
	}
	doc, problems := epcis.Decode(raw)
	for _, p := range problems {
		if err := e.printf("%s\n", p); err != nil {
			return err
		}
	}
	if len(problems) > 0 {
		return fmt.Errorf("epcis: %s: %d things are wrong", cmd.File, len(problems))
	}
	return e.printf("%d events, nothing wrong\n", len(doc.Body.Events))
}

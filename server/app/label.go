package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/label"
	"aovuon/server/sqldb"
	"aovuon/server/trace"
	"aovuon/server/web"
)

type labelCmd struct {
	Sheet       labelSheetCmd       `cmd:"" help:"Write labels of a lot as PDF for A4 sheets."`
	Calibration labelCalibrationCmd `cmd:"" help:"Write the page that says how far a printer is off a sheet."`
	Board       labelBoardCmd       `cmd:"" help:"Write the A4 boards of places as PDF."`
	Thermal     labelThermalCmd     `cmd:"" help:"Write the bytes of a label printer: ZPL, TSPL or ESC/POS."`
}

// lotFlags say what stands on a label.
type lotFlags struct {
	Lot  string  `arg:"" help:"The lot's code, or the path of its label: /01/09521234010036/10/AO1-261123."`
	KG   float64 `name:"kg" help:"Weight of a pack in kg."`
	Best string  `help:"Use by: yyyy-mm-dd." placeholder:"DAY"`
	Out  string  `required:"" help:"File to write; - for standard output." placeholder:"FILE"`
}

// sheetFlags say what it is printed on.
type sheetFlags struct {
	Sheet  string  `default:"L7160" help:"L7160, L7163, L7651, L7164, or 'w=63.5 h=38.1 nx=3 ny=7 left=7.25 top=15.15 dx=66 dy=38.1' in mm."`
	NudgeX float64 `help:"Millimetres to the right."`
	NudgeY float64 `help:"Millimetres down."`
}

func (s sheetFlags) sheets(now time.Time, start int) (label.Sheets, error) {
	t, err := label.ParseTemplate(s.Sheet)
	return label.Sheets{Template: t, Start: start, NudgeX: s.NudgeX, NudgeY: s.NudgeY, At: now}, err
}

// content finds the lot and makes its label.
func (l lotFlags) content(ctx context.Context, c Config, db *sqldb.DB) (label.Content, error) {
	ask := web.LabelAsk{KG: l.KG}
	var err error
	if l.Best != "" {
		if ask.Best, err = time.Parse(time.DateOnly, l.Best); err != nil {
			return label.Content{}, fmt.Errorf("label: --best %q: want a day as 2026-12-31", l.Best)
		}
	}
	if l.KG < 0 || l.KG > 10000 {
		return label.Content{}, fmt.Errorf("label: --kg %v: want more than 0, at most 10000", l.KG)
	}
	link, err := findLot(ctx, db, l.Lot)
	if err != nil {
		return label.Content{}, err
	}
	d, err := db.Dossier(ctx, link)
	if err != nil {
		return label.Content{}, fmt.Errorf("label: %s: %w", l.Lot, err)
	}
	f, err := db.Farm(ctx)
	if err != nil {
		return label.Content{}, err
	}
	return web.LotLabel(c.PublicURL, f.Coop, d, ask)
}

// findLot reads a path, or looks for the one lot of a code.
func findLot(ctx context.Context, db *sqldb.DB, asked string) (trace.Link, error) {
	if strings.HasPrefix(asked, "/") {
		return trace.ParseLink(asked, "")
	}
	lots, err := db.Lots(ctx)
	if err != nil {
		return trace.Link{}, err
	}
	lots = slices.DeleteFunc(slices.Clone(lots), func(l trace.Lot) bool { return l.Code != asked })
	switch len(lots) {
	case 0:
		return trace.Link{}, fmt.Errorf("label: lot %.40q: %w", asked, trace.ErrUnknown)
	case 1:
		return lots[0].Link(), nil
	}
	var paths []string
	for _, l := range lots {
		paths = append(paths, l.Link().Path())
	}
	return trace.Link{}, fmt.Errorf("label: several products have a lot %.40q: give the path, one of %s", asked, strings.Join(paths, ", "))
}

// output writes a file whole or not at all.
func (e *env) output(path, what string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	if path == "-" {
		_, err := e.stdout.Write(b.Bytes())
		return err
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("label: %w", err)
	}
	return e.printf("%s: %s, %d bytes\n", path, what, b.Len())
}

type labelSheetCmd struct {
	lotFlags
	sheetFlags
	Start int `default:"1" help:"First label still on the sheet, from 1."`
	N     int `name:"n" short:"n" help:"How many labels; a whole sheet without."`
}

// Run writes a sheet.
func (cmd *labelSheetCmd) Run(e *env) error {
	return e.labels(func(ctx context.Context, c Config, db *sqldb.DB, p *label.Press) error {
		s, err := cmd.sheets(e.now(), cmd.Start)
		if err != nil {
			return err
		}
		content, err := cmd.content(ctx, c, db)
		if err != nil {
			return err
		}
		n := cmd.N
		if n == 0 {
			n = s.Template.Slots()
		}
		s.Title = content.Name
		if n > 200 && cmd.Out != "-" {
			s.Progress = func(done, all int) {
				if done%100 == 0 || done == all {
					if _, err := fmt.Fprintf(e.stderr, "%d of %d labels\n", done, all); err != nil {
						e.log.Debug("nobody is told", slog.Any("err", err))
					}
				}
			}
		}
		return e.output(cmd.Out, fmt.Sprintf("%d labels on %s", n, s.Template), func(w io.Writer) error {
			return p.WriteSheets(ctx, w, s, slices.Repeat([]label.Content{content}, min(max(n, 0), label.MaxLabels+1)))
		})
	})
}

type labelCalibrationCmd struct {
	sheetFlags
	Out string `required:"" help:"File to write; - for standard output." placeholder:"FILE"`
}

// Run writes a calibration page.
func (cmd *labelCalibrationCmd) Run(e *env) error {
	s, err := cmd.sheets(e.now(), 1)
	if err != nil {
		return err
	}
	words, err := web.CalibrationWords("vi")
	if err != nil {
		return err
	}
	p, err := label.NewPress()
	if err != nil {
		return err
	}
	return e.output(cmd.Out, "calibration page of "+s.Template.String(), func(w io.Writer) error { return p.WriteCalibration(w, s, words) })
}

type labelBoardCmd struct {
	Places []string `arg:"" optional:"" help:"Names or codes of places; all without."`
	Out    string   `required:"" help:"File to write; - for standard output." placeholder:"FILE"`
}

// Run writes boards.
func (cmd *labelBoardCmd) Run(e *env) error {
	return e.labels(func(ctx context.Context, c Config, db *sqldb.DB, p *label.Press) error {
		f, err := db.Farm(ctx)
		if err != nil {
			return err
		}
		places, err := cmd.places(f)
		if err != nil {
			return err
		}
		var boards []label.Board
		for _, place := range places {
			b, err := web.PlaceBoard(c.PublicURL, f.Coop, place)
			if err != nil {
				return err
			}
			boards = append(boards, b)
		}
		return e.output(cmd.Out, fmt.Sprintf("%d boards", len(boards)), func(w io.Writer) error {
			return p.WriteBoards(ctx, w, f.Coop.Name.VI, e.now(), boards)
		})
	})
}

func (cmd *labelBoardCmd) places(f *farm.Farm) ([]farm.Place, error) {
	if len(f.Places) == 0 {
		return nil, errors.New("label: the farm has no place yet: server farm import")
	}
	if len(cmd.Places) == 0 {
		return f.Places, nil
	}
	var out []farm.Place
	for _, asked := range cmd.Places {
		i := slices.IndexFunc(f.Places, func(p farm.Place) bool { return p.Name == asked || p.Code == strings.ToUpper(asked) })
		if i < 0 {
			return nil, fmt.Errorf("label: place %.40q: there is none of this name or code", asked)
		}
		out = append(out, f.Places[i])
	}
	return out, nil
}

type labelThermalCmd struct {
	lotFlags
	Width   float64 `default:"50" help:"Width of a label in mm."`
	Height  float64 `default:"30" help:"Height of a label in mm."`
	DPI     int     `name:"dpi" default:"203" help:"The printer's resolution: 203, 300 or 600."`
	Printer string  `default:"tspl" enum:"zpl,tspl,escpos,png" help:"Its language: zpl, tspl, escpos; png for a picture of the label."`
	Gap     float64 `default:"2" help:"Millimetres between labels on the roll; 0 for endless paper."`
	Copies  int     `default:"1" help:"How many labels."`
}

// Run writes a label printer's bytes.
func (cmd *labelThermalCmd) Run(e *env) error {
	return e.labels(func(ctx context.Context, c Config, db *sqldb.DB, p *label.Press) error {
		content, err := cmd.content(ctx, c, db)
		if err != nil {
			return err
		}
		size := label.Size{W: cmd.Width, H: cmd.Height}
		return e.output(cmd.Out, fmt.Sprintf("%s for %s mm at %d dpi", cmd.Printer, size, cmd.DPI), func(w io.Writer) error {
			b, err := p.Raster(content, size, cmd.DPI)
			if err != nil {
				return err
			}
			data, err := b.PNG(0)
			if cmd.Printer != "png" {
				data, err = label.Thermal{Language: label.Language(cmd.Printer), Gap: cmd.Gap, Copies: cmd.Copies}.Encode(b)
			}
			if err == nil {
				_, err = w.Write(data)
			}
			return err
		})
	})
}

// labels opens what printing needs.
func (e *env) labels(do func(context.Context, Config, *sqldb.DB, *label.Press) error) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	p, err := label.NewPress()
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error { return do(ctx, c, db, p) })
}

package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"aovuon/server/farm"
	"aovuon/server/label"
	"aovuon/server/sqldb"
	"aovuon/server/trace/printjob"
	"aovuon/server/web"
)

type labelCmd struct {
	Runs        labelRunsCmd        `cmd:"" help:"List what was packed of a lot, and how many labels of it are printed."`
	Sheet       labelSheetCmd       `cmd:"" help:"Print labels of packed goods, or of boxes, on A4 sheets: a PDF."`
	Thermal     labelThermalCmd     `cmd:"" help:"Print them on a roll: the bytes of a label printer, ZPL, TSPL or ESC/POS."`
	Again       labelAgainCmd       `cmd:"" help:"Print labels of a print again, with a reason."`
	Jobs        labelJobsCmd        `cmd:"" help:"List the prints, the newest first."`
	Calibration labelCalibrationCmd `cmd:"" help:"Write the page that says how far a printer is off a sheet."`
	Board       labelBoardCmd       `cmd:"" help:"Write the A4 boards of places as PDF."`
}

// sheetFlags say what it is printed on.
type sheetFlags struct {
	Sheet  string  `default:"L7160" help:"L7160, L7163, L7651, L7164, or 'w=63.5 h=38.1 nx=3 ny=7 left=7.25 top=15.15 dx=66 dy=38.1' in mm."`
	NudgeX float64 `help:"Millimetres to the right."`
	NudgeY float64 `help:"Millimetres down."`
}

func (s sheetFlags) paper(start int) printjob.Paper {
	return printjob.Paper{Sheet: s.Sheet, Start: start, X: s.NudgeX, Y: s.NudgeY}
}

// rollFlags say which label printer it is printed on.
type rollFlags struct {
	Width   float64 `default:"50" help:"Width of a label in mm."`
	Height  float64 `default:"30" help:"Height of a label in mm."`
	DPI     int     `name:"dpi" default:"203" help:"The printer's resolution: 203, 300 or 600."`
	Printer string  `default:"tspl" enum:"zpl,tspl,escpos" help:"Its language: zpl, tspl, escpos."`
	Gap     float64 `default:"2" help:"Millimetres between labels on the roll; 0 for endless paper."`
}

func (f rollFlags) paper() printjob.Paper {
	return printjob.Paper{W: f.Width, H: f.Height, DPI: f.DPI, Language: label.Language(f.Printer), Gap: f.Gap}
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

// writable tells whether output could write there, and leaves things as they are.
func writable(path string) error {
	if path == "-" {
		return nil
	}
	there := exists(path)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("label: %w", err)
	}
	err = f.Close()
	if !there {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

type labelCalibrationCmd struct {
	sheetFlags
	Out string `required:"" help:"File to write; - for standard output." placeholder:"FILE"`
}

// Run writes a calibration page.
func (cmd *labelCalibrationCmd) Run(e *env) error {
	s, err := cmd.paper(1).Sheets(e.now())
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

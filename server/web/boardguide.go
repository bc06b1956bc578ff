package web

import (
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"aovuon/gateway/measure"
	"aovuon/hardware/boards"
	"aovuon/hardware/calibration"
	"aovuon/server/help"
)

// The shelves of guides beside those of the product itself.
const (
	buildShelf       = "build"
	calibrationShelf = "calibration"
)

// boardsRoot is where in the tree the boxes lie.
const boardsRoot = "hardware/boards"

// boardParts are the sections that a page of a box has below its guide, by the file that each shows.
func boardParts() [][2]string {
	return [][2]string{{"wiring.svg", "wiring"}, {"pins.csv", "wires"}, {"bom.csv", "parts"}}
}

// Shelves are all guides that the pages show: of the product, of the boxes in the field, of the calibration of their probes.
func Shelves() []help.Shelf {
	return []help.Shelf{
		help.Own(),
		{Name: buildShelf, Root: boardsRoot, Files: boards.Files, IDs: boards.Names(), File: boards.GuideFile},
		{Name: calibrationShelf, Root: "hardware/calibration", Files: calibration.Files, IDs: calibration.Names(), File: calibration.GuideFile},
	}
}

// boardPart says where the pages show a file of a box: its drawing and tables on the page of its guide, the sample of a configuration as it is.
func (e *engine) boardPart(file string) (to string, ok bool) {
	if file == boardsRoot+"/gateway.yaml" {
		return e.names["gateway.yaml"], true
	}
	for _, p := range boardParts() {
		if path.Base(file) == p[0] && path.Dir(path.Dir(file)) == boardsRoot {
			return "#" + p[1], true
		}
	}
	return "", false
}

// loadBoards serves the sample of a configuration, and reads what the boxes are made of.
func (e *engine) loadBoards() error {
	sample, err := boards.Files.ReadFile("gateway.yaml")
	if err != nil {
		return fmt.Errorf("web: %w", err)
	}
	e.serve("gateway.yaml", sample, "text/plain; charset=utf-8")
	for _, name := range boards.Names() {
		b, err := boards.Load(boards.Files, name)
		if err != nil {
			return fmt.Errorf("web: %w", err)
		}
		drawing, err := fs.ReadFile(boards.Files, boards.DrawingFile(name))
		if err != nil {
			return fmt.Errorf("web: %w", err)
		}
		for lang, w := range e.words {
			e.boards[lang+"/"+name] = newBoardView(w, b, drawing)
		}
	}
	return nil
}

// boardView is what a page of a box shows below its guide.
type boardView struct {
	Drawing template.HTML // within the page, so that a phone keeps it along
	Parts   []boardPart
	Sum     string
	Priced  string // when the newest price was estimated
	Wires   []boardWire
}

// boardPart is a line of the list of parts.
type boardPart struct {
	Ref, Name, Class, Address string
	Mains                     bool
	Quantity, Price           string
}

// boardWire is a line of the table of conductors.
type boardWire struct{ N, From, To, Colour, Area, Note string }

func newBoardView(w *words, b boards.Board, drawing []byte) *boardView {
	v := &boardView{Drawing: template.HTML(drawing), Sum: w.count(int64(b.Price()))} //nolint:gosec // drawn by hardware/boards, which escapes
	priced := b.Parts[0].Priced
	for _, p := range b.Parts {
		if p.Priced.After(priced) {
			priced = p.Priced
		}
		line := boardPart{
			Ref: p.Ref, Name: p.NameIn(w.lang), Class: w.t("build.class." + p.Class), Address: p.Address, Mains: p.Kind == boards.Mains,
			Quantity: w.count(int64(p.Quantity)), Price: w.count(int64(p.Price)),
		}
		if p.Price == 0 { // of another box
			line.Price, line.Class = "", ""
		}
		v.Parts = append(v.Parts, line)
	}
	v.Priced = w.date(priced)
	for i, x := range b.Wires {
		colour, area := x.Colour, x.Area
		if w.lang == Vietnamese {
			colour = boards.ColourVI(x.Colour)
		}
		if mm2, err := strconv.ParseFloat(area, 64); err == nil {
			area = w.plainNumber(mm2)
		}
		v.Wires = append(v.Wires, boardWire{w.count(int64(i + 1)), x.From + " " + x.FromPin, x.To + " " + x.ToPin, colour, area + nbsp + "mm²", x.NoteIn(w.lang)})
	}
	return v
}

// nameBoardParts puts what a page of a box shows below its guide into the guide's contents.
func (e *engine) nameBoardParts() {
	for lang, w := range e.words {
		for _, g := range e.help.Shelf(lang, buildShelf) {
			for _, p := range boardParts() {
				g.Parts = append(g.Parts, help.Part{ID: p[1], Title: w.t("build." + p[1])})
			}
		}
	}
}

// probeGuides are those that a probe of these quantities wants: how it is calibrated, how it is kept clean.
func (e *engine) probeGuides(w *words, measured []measure.Quantity) (out []guideLink) {
	wants := map[measure.Quantity][]string{
		measure.DissolvedOxygen:  {"calibration/do", "build/pond-box#fouls"},
		measure.PH:               {"calibration/ph", "build/pond-box#fouls"},
		measure.Conductivity:     {"calibration/ec", "build/pond-box#fouls"},
		measure.WaterTemperature: {"build/pond-box#fouls"},
		measure.SoilMoisture:     {"calibration/soil", "build/soil-box#fouls"},
		measure.AirTemperature:   {"build/soil-box#fouls"},
		measure.RelativeHumidity: {"build/soil-box#fouls"},
	}
	var ids []string
	for _, q := range measured {
		for _, id := range wants[q] {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return strings.Compare(b, a) }) // calibrations first
	for _, id := range ids {
		out = append(out, e.guide(w, id))
	}
	return out
}

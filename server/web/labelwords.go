package web

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/label"
	"aovuon/server/trace"
	"aovuon/server/trace/printjob"
)

// DossierOf returns what is on record about a lot.
type DossierOf func(l trace.Link) (trace.Dossier, error)

// JobLabels returns what stands on the labels of a print, in Vietnamese whoever prints it: the addresses that they open stand below base.
func JobLabels(base string, coop farm.Coop, d printjob.Detail, of DossierOf) ([]label.Content, error) {
	w, err := loadWords(Vietnamese)
	if err != nil {
		return nil, err
	}
	if d.Run == "" {
		out := make([]label.Content, 0, len(d.Boxes))
		for _, b := range d.Boxes {
			c, err := boxLabel(w, base, coop, b, of)
			if err != nil {
				return nil, err
			}
			out = append(out, c)
		}
		return out, nil
	}
	lot, err := of(d.Lot)
	if err != nil {
		return nil, fmt.Errorf("web: label: %w", err)
	}
	out := make([]label.Content, 0, len(d.Marks))
	for _, m := range d.Marks {
		c, err := itemLabel(w, base, coop, lot, d.Packed, m.N)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// itemLabel is the label of an item of a run; without a serial that of its lot.
func itemLabel(w *words, base string, coop farm.Coop, d trace.Dossier, run printjob.Run, n int) (label.Content, error) {
	i := run.Item(n)
	address, err := trace.Address(base, i.Link())
	if err != nil {
		return label.Content{}, fmt.Errorf("web: label: %w", err)
	}
	spoken := farm.WithCheck(i.Serial)
	if i.Serial == "" {
		if spoken, err = i.Link().Short(); err != nil {
			return label.Content{}, fmt.Errorf("web: label: %w", err)
		}
	}
	c := label.Content{URL: address, Name: d.Product.Name.In(w.lang)}
	add := adder(&c)
	add(true, false, w.t("onlabel.lot", d.Lot.Code))
	if day := d.Lot.Harvested; !day.IsZero() {
		text := w.t("onlabel.harvested", w.date(day))
		if run.Made {
			text = w.t("onlabel.made", w.date(day))
		}
		add(false, false, text)
	}
	if !i.Best.IsZero() {
		add(true, false, w.t("onlabel.best", w.date(i.Best)))
	}
	if i.NetG > 0 {
		add(true, false, w.t("onlabel.mass", weight(w, i.NetG/1000)))
	}
	add(false, false, coop.Name.In(w.lang))
	add(true, true, SpokenCode(spoken))
	add(false, false, w.t("onlabel.spoken"))
	return c, nil
}

func adder(c *label.Content) func(must, bold bool, text string) {
	return func(must, bold bool, text string) {
		c.Lines = append(c.Lines, label.Line{Text: text, Must: must, Bold: bold})
	}
}

// packed is what of a lot is in a box.
type packed struct {
	lot    trace.Link
	count  int     // items
	grams  float64 // of each; 0: they differ
	kg     float64 // all of it
	single bool    // all of it is items that weigh the same
}

// inside adds up what is in a box by lots, in the order of their names.
func inside(b printjob.Full) (out []packed, kg float64, best time.Time) {
	for _, l := range printjob.LotsIn(append(slices.Clone(b.Inner), b.Box), b.Items) {
		p := packed{lot: l, single: true}
		for _, i := range b.Items {
			if i.GTIN != l.GTIN || i.Lot != l.Lot {
				continue
			}
			p.single = p.count == 0 || p.single && p.grams == i.NetG
			p.count, p.grams, p.kg = p.count+1, i.NetG, p.kg+i.NetG/1000
			if !i.Best.IsZero() && (best.IsZero() || i.Best.Before(best)) {
				best = i.Best
			}
		}
		for _, box := range append(slices.Clone(b.Inner), b.Box) {
			for _, part := range box.Parts {
				if part.Ref == l.Ref() {
					p.kg, p.single = p.kg+part.KG, false
				}
			}
		}
		out, kg = append(out, p), kg+p.kg
	}
	return out, kg, best
}

// mostLotsOnBox is how many lots the label of a box names.
const mostLotsOnBox = 4

// boxLabel is the label of a box: its number, what is in it, how much, and the earliest day of use by.
func boxLabel(w *words, base string, coop farm.Coop, b printjob.Full, of DossierOf) (label.Content, error) {
	lots, kg, best := inside(b)
	c := label.Content{URL: trace.BoxAddress(base, b.SSCC)}
	add := adder(&c)
	add(true, true, w.boxNumber(b.SSCC))
	var names []string
	for n, p := range lots {
		d, err := of(p.lot)
		if err != nil {
			return label.Content{}, fmt.Errorf("web: label: %w", err)
		}
		if name := d.Product.Name.In(w.lang); !slices.Contains(names, name) {
			names = append(names, name)
		}
		if n == mostLotsOnBox {
			add(true, false, w.t("onlabel.box.more", w.count(int64(len(lots)-n))))
		}
		if n < mostLotsOnBox {
			add(true, false, w.boxLine(p))
		}
	}
	add(true, false, w.t("onlabel.box.kg", weight(w, kg)))
	add(false, false, w.t("onlabel.box.filled", w.date(b.Filled)))
	if !best.IsZero() {
		add(true, false, w.t("onlabel.box.best", w.date(best)))
	}
	add(false, false, coop.Name.In(w.lang))
	if c.Name = strings.Join(names, ", "); len(names) > 2 {
		c.Name = w.t("onlabel.box.mixed", w.count(int64(len(names))))
	}
	return c, nil
}

// boxLine says what of a lot is in a box.
func (w *words) boxLine(p packed) string {
	loose := p.kg
	if p.count > 0 {
		of := w.count(int64(p.count))
		if p.single && p.grams > 0 {
			return w.t("onlabel.box.items", of, weight(w, p.grams/1000), p.lot.Lot)
		}
		return w.t("onlabel.box.packs", of, weight(w, loose), p.lot.Lot)
	}
	return w.t("onlabel.box.loose", weight(w, loose), p.lot.Lot)
}

// boxNumber writes the number of a box: an SSCC as GS1 has it read, one of the co-op's own as its own.
func (w *words) boxNumber(sscc string) string {
	if farm.InternalSSCC(sscc) {
		return w.t("onlabel.box.own", SpokenCode(sscc))
	}
	return "(00) " + sscc
}

// weight writes a mass as packs say it: 500 g, 1,5 kg.
func weight(w *words, kg float64) string {
	number := func(v float64) string { return strings.TrimRight(strings.TrimRight(w.num(v, 3), "0"), ",") }
	if kg < 1 {
		return number(kg*1000) + nbsp + "g"
	}
	return number(kg) + nbsp + "kg"
}

// PlaceBoard returns the board of a place, in Vietnamese.
func PlaceBoard(base string, coop farm.Coop, p farm.Place) (label.Board, error) {
	w, err := loadWords("vi")
	if err != nil {
		return label.Board{}, err
	}
	return label.Board{
		URL: strings.TrimSuffix(base, "/") + "/p/" + p.Code, Name: p.Title.In(w.lang), Code: SpokenCode(p.Code), Hint: w.t("onlabel.scan"), Coop: coop.Name.In(w.lang),
	}, nil
}

// CalibrationWords returns what stands on a calibration page.
func CalibrationWords(lang string) (label.CalibrationWords, error) {
	w, err := loadWords(lang)
	if err != nil {
		return label.CalibrationWords{}, err
	}
	return label.CalibrationWords{Title: w.t("onlabel.calibrate"), How: []string{w.t("onlabel.calibrate.size"), w.t("onlabel.calibrate.hold"), w.t("onlabel.calibrate.nudge")}}, nil
}

// SpokenCode groups a code by threes, as it is read out.
func SpokenCode(code string) string {
	var groups []string
	for len(code) > 3 {
		groups, code = append(groups, code[:3]), code[3:]
	}
	return strings.Join(append(groups, code), "-")
}

package web

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/label"
	"aovuon/server/trace"
)

// LabelAsk is what stands on a label beside what is on record of the lot.
type LabelAsk struct {
	KG   float64   // of one pack; 0: nothing is said
	Best time.Time // use by; zero: nothing is said
}

// ErrNoLabel is returned for a lot of which no label may be issued: it is held, or its harvest was taken back.
var ErrNoLabel = errors.New("web: no label may be issued for the lot")

// LotLabel returns the label of a lot, in Vietnamese whoever prints it: the address it opens stands below base. The error
// wraps ErrNoLabel where none may be issued.
func LotLabel(base string, coop farm.Coop, d trace.Dossier, ask LabelAsk) (label.Content, error) {
	w, err := loadWords("vi")
	if err != nil {
		return label.Content{}, err
	}
	if !d.Lot.Sellable() || d.Lot.State == trace.Recalled {
		return label.Content{}, fmt.Errorf("%w: %s is %s", ErrNoLabel, d.Lot.Link().Path(), d.Lot.State)
	}
	short, err := d.Lot.Link().Short()
	if err != nil {
		return label.Content{}, fmt.Errorf("web: label: %w", err)
	}
	c := label.Content{URL: strings.TrimSuffix(base, "/") + d.Lot.Link().Path(), Name: d.Product.Name.In(w.lang)}
	add := func(must, bold bool, text string) {
		c.Lines = append(c.Lines, label.Line{Text: text, Must: must, Bold: bold})
	}
	add(true, false, w.t("onlabel.lot", d.Lot.Code))
	if !d.Lot.Harvested.IsZero() {
		add(false, false, w.t("onlabel.harvested", w.date(d.Lot.Harvested)))
	}
	if !ask.Best.IsZero() { // who asks for it wants it there
		add(true, false, w.t("onlabel.best", ask.Best.Format("02/01/2006")))
	}
	if ask.KG > 0 {
		add(true, false, w.t("onlabel.mass", weight(w, ask.KG)))
	}
	add(false, false, coop.Name.In(w.lang))
	add(true, true, SpokenCode(short))
	add(false, false, w.t("onlabel.spoken"))
	return c, nil
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

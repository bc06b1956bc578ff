package web

import (
	"aovuon/server/watch/blight"
)

// blightDay is one row of a plot's table.
type blightDay struct {
	Day, Hours, Lowest, Humid string
	Hutton                    blightCell
	DSV, Units, Rain, Washed  blightCell
	Smith                     string
	Note                      string
	Lost                      bool // too little was measured
}

// blightCell is what a cell says; Soft: nobody knows, or it is not there yet.
type blightCell struct {
	Text string
	Soft bool
	Bad  bool
}

func newBlightDay(w *words, d blight.Day) blightDay {
	row := blightDay{Day: d.Date.In(w.zone).Format("02/01"), Hours: "–", Lowest: "–", Humid: "–"}
	row.Hutton, row.DSV, row.Units, row.Washed = soft("–"), soft("–"), soft("–"), soft("–")
	if d.Over {
		row.Hours = w.count(int64(d.Measured))
		row.Lost = !d.Known
	}
	switch {
	case d.Over && d.Known:
		row.Lowest, row.Humid = w.num(d.Lowest, 1), w.count(int64(d.Humid))
		row.Hutton, row.DSV = huttonCell(w, d), blightCell{Text: w.count(int64(d.DSV))}
		row.Smith = w.t("blight.smith." + string(d.Period))
	case d.Over:
		unknown := soft(w.t("blight.unknown"))
		row.Hutton, row.DSV, row.Smith = unknown, unknown, w.t("blight.smith."+string(blight.UnknownSmith))
	}
	switch {
	case d.Noon && d.NoonKnown && d.Units.Hi == d.Units.Lo:
		row.Units = blightCell{Text: w.count(int64(d.Units.Lo))}
	case d.Noon:
		row.Units = soft(w.count(int64(d.Units.Lo)) + "–" + w.count(int64(d.Units.Hi)))
	}
	row.Rain = soft(w.t("blight.unsaid"))
	if d.RainSaid {
		row.Rain = blightCell{Text: w.figure(d.Rain)}
	}
	if d.Over && d.SinceSpray > 0 {
		row.Washed = blightCell{Text: w.count(int64(d.Fungicide.Lo))}
		if d.Fungicide.Hi > d.Fungicide.Lo {
			row.Washed = soft(w.count(int64(d.Fungicide.Lo)) + "–" + w.count(int64(d.Fungicide.Hi)))
		}
	}
	switch {
	case d.Sprayed:
		row.Note = w.t("blight.sprayed")
	case d.Lent > 0:
		row.Note = w.t("blight.lent", w.count(int64(d.Lent)))
	}
	return row
}

func soft(text string) blightCell { return blightCell{Text: text, Soft: true} }

// huttonCell says whether the day fulfils the criteria, and whether the alarm is on.
func huttonCell(w *words, d blight.Day) blightCell {
	switch {
	case d.Alarm == blight.Yes:
		return blightCell{Text: w.t("blight.hutton.on"), Bad: true}
	case d.Hutton == blight.Yes:
		return blightCell{Text: w.t("blight.hutton.day")}
	}
	return blightCell{Text: w.t("blight.hutton.no")}
}

package web

import (
	"fmt"
	"html"
	"html/template"
	"strings"

	"aovuon/server/watch/soil"
)

// The drawing of a soil's moisture between where the crop wilts and where its roots drown, in CSS pixels of a phone.
const (
	barWide, barHigh    = 320.0, 74.0
	barTop, barBottom   = 22.0, 40.0
	barBelow, barBeyond = 4.0, 7.0 // percent of the volume that are shown outside the marks
)

// barMark is a moisture that has a name.
type barMark struct {
	at    float64
	label string
}

// moistureBar draws how wet a plot is between its marks; empty where that is not known.
func moistureBar(w *words, f *soil.Field) template.HTML {
	if f.Lacks != "" {
		return ""
	}
	wet := f.Holds.FieldCapacity + soil.WetAbove
	low, high := min(f.Moisture, f.Holds.WiltingPoint)-barBelow, max(f.Moisture+2, wet+barBeyond)
	x := func(moisture float64) float64 { return (moisture - low) / (high - low) * barWide }
	marks := []barMark{{f.Holds.WiltingPoint, "wilts"}, {f.Holds.FieldCapacity, "full"}}
	dry := f.Holds.WiltingPoint
	if f.RAW > 0 {
		dry = f.Trigger
		marks = append(marks, barMark{f.Trigger, "trigger"})
	}
	marks = append(marks, barMark{wet, "drowns"})
	value := func(v float64) string { return w.num(v, 1) + nbsp + "%" }
	var b strings.Builder
	var said []string
	for _, m := range marks {
		said = append(said, w.t("water.bar."+m.label)+" "+value(m.at))
	}
	title := html.EscapeString(w.t("water.bar.title", value(f.Moisture), strings.Join(said, ", ")))
	fmt.Fprintf(&b, `<svg class="moist" viewBox="0 0 %g %g" role="img" aria-label="%s">`, barWide, barHigh, title)
	rect := func(class string, from, to float64) {
		fmt.Fprintf(&b, `<rect class="%s" x="%.1f" y="%g" width="%.1f" height="%g"/>`, class, x(from), barTop, max(0, x(to)-x(from)), barBottom-barTop)
	}
	rect("dry", low, dry)
	rect("good", dry, wet)
	rect("wet", wet, high)
	for i, m := range marks {
		row := barBottom + 14
		if i >= 2 { // the trigger and what drowns stand between the others: a row of their own
			row += 15
		}
		fmt.Fprintf(&b, `<path class="tick" d="M%.1f %gV%g"/><text class="ax" x="%.1f" y="%g" text-anchor="%s">%s</text>`,
			x(m.at), barTop-2, barBottom+3, x(m.at), row, anchor(x(m.at)), html.EscapeString(w.t("water.bar."+m.label)))
	}
	at := x(f.Moisture)
	fmt.Fprintf(&b, `<path class="hand" d="M%.1f %gl-6 -7h12zM%.1f %gV%g"/><text class="now" x="%.1f" y="12" text-anchor="%s">%s</text></svg>`,
		at, barTop, at, barTop, barBottom, at, anchor(at), html.EscapeString(value(f.Moisture)))
	return template.HTML(b.String())
}

// anchor keeps a text within the drawing.
func anchor(x float64) string {
	switch {
	case x < 40:
		return "start"
	case x > barWide-40:
		return "end"
	}
	return "middle"
}

package panel

import (
	"context"
	"html/template"
	"slices"
	"strings"

	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
)

// homeView is the first page: the weather, every place, what was done last.
type homeView struct {
	Sky     skyView
	Quick   []form
	Weather []form
	Open    bool   // somebody is at work on the weather
	Note    string // why there is nothing of the product
	Places  []card
	Said    []saying
}

// skyView is the weather and the two clocks.
type skyView struct {
	World, Speed string
	Tiles        []tile
	Picture      template.HTML
}

type tile struct{ Label, Text, Unit string }

// card is a place.
type card struct {
	ID, Kind, Name string
	Picture        template.HTML
	Verdict        verdict
	Opinion        string // what the product thinks of the place itself; empty: it knows no such place
	OpinionTone    string
	Rows           []row
}

func (g *gathered) home() homeView {
	v := homeView{Sky: g.sky(), Note: g.productNote(), Quick: g.quick(), Weather: g.weather(), Said: g.page.sayings(g.w, g.said[:min(5, len(g.said))])}
	v.Open = slices.ContainsFunc(v.Weather, func(f form) bool { return f.Problem != "" })
	for _, p := range g.page.o.Field.Places() {
		v.Places = append(v.Places, g.card(p, true))
	}
	return v
}

// first are the quantities of a place that a card has room for.
func first(kind string) []measure.Quantity {
	switch world.Kind(kind) {
	case world.Pond:
		return []measure.Quantity{measure.DissolvedOxygen, measure.WaterTemperature, measure.PH}
	case world.Plot:
		return []measure.Quantity{measure.SoilMoisture, measure.AirTemperature, measure.RelativeHumidity}
	case world.Room:
	}
	return []measure.Quantity{measure.AirTemperature, measure.RelativeHumidity}
}

// card draws a place; short leaves out what a card has no room for.
func (g *gathered) card(p field.Place, short bool) card {
	rows := g.page.rows(g.w, g.source(p.ID), g.now)
	c := card{ID: p.ID, Kind: p.Kind, Name: p.ID, Rows: rows, Verdict: verdictOf(rows, g.down != nil || g.page.o.Product == nil), Picture: g.picture(p)}
	if at, ok := g.known(p.ID); ok {
		c.Name, c.Opinion, c.OpinionTone = at.Title, g.w.Or("opinion."+at.State, at.State), opinionTone(at.State)
	}
	if short {
		c.Rows = slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return !slices.Contains(first(p.Kind), r.Quantity) })
	}
	return c
}

func opinionTone(state string) string {
	switch state {
	case "fine", "noted":
		return "good"
	case "danger":
		return "fault"
	}
	return "doubt"
}

// placeView is the page of a place.
type placeView struct {
	Card     card
	Note     string
	Measured []row // somebody measures them
	Others   []row // nobody does, but the world has them
	Chart    *chartView
	Actions  []form
	Devices  []deviceView
}

// chartView is a day of one quantity, and which others there are.
type chartView struct {
	dayChart
	Label, Unit string
	Choice      []option
}

// deviceView is a device with what can be done to it.
type deviceView struct {
	ID, Kind string
	State    string // in words
	Tone     string
	Lately   string
	Open     bool // somebody is at work on it
	Forms    []form
}

func (g *gathered) place(ctx context.Context, id, asked string) placeView {
	all := g.page.o.Field.Places()
	p := all[slices.IndexFunc(all, func(p field.Place) bool { return p.ID == id })]
	v := placeView{Card: g.card(p, false), Note: g.productNote(), Actions: g.actions(p)}
	for _, r := range v.Card.Rows {
		if len(r.Lines) > 0 {
			v.Measured = append(v.Measured, r)
		} else {
			v.Others = append(v.Others, r)
		}
	}
	v.Chart = g.chartOf(ctx, p, v.Card.Rows, measure.Quantity(asked))
	for _, part := range g.parts(id) {
		v.Devices = append(v.Devices, g.device(part))
	}
	return v
}

// chartOf draws the quantity somebody asked for, or the first of the place.
func (g *gathered) chartOf(ctx context.Context, p field.Place, rows []row, asked measure.Quantity) *chartView {
	var can []measure.Quantity
	for _, r := range rows {
		if r.Truth != "" {
			can = append(can, r.Quantity)
		}
	}
	if len(can) == 0 {
		return nil
	}
	q := can[0]
	if usual := first(p.Kind)[0]; slices.Contains(can, usual) {
		q = usual
	}
	if slices.Contains(can, asked) {
		q = asked
	}
	info, _ := q.Info()
	v := &chartView{Label: g.w.Quantity(q), Unit: info.Unit}
	for _, c := range can {
		v.Choice = append(v.Choice, option{Value: string(c), Label: g.w.Quantity(c), Chosen: c == q})
	}
	var series []ProductSeries
	if at, ok := g.known(p.ID); ok && g.page.o.Product != nil {
		if got, err := g.page.o.Product.Day(ctx, at.Code, q); err == nil {
			series = got
		} // without it the truth alone is drawn, and the note of the page says why
	}
	chart, ok := g.page.chart(g.w, p.ID, q, series, g.now)
	if !ok {
		return nil
	}
	v.dayChart = chart
	return v
}

// device draws a device. What has no probe can be put into no bottle and does not drift.
func (g *gathered) device(p field.Part) deviceView {
	at := g.devices[p.ID]
	v := deviceView{ID: p.ID, Kind: g.w.Or("kind."+p.Kind, p.Kind), State: g.stateOf("device", at.state), Tone: "fault"}
	if at.state == "healthy" {
		v.Tone = "good"
	}
	choices := map[string][]option{}
	for _, k := range at.kinds {
		choices["FAULT"] = append(choices["FAULT"], option{Value: k, Label: g.w.Or("fault."+k, k)})
	}
	for _, u := range g.usages {
		probe := len(p.Measures) > 0 && p.Kind != "transducer"
		verb := u.Words[0].Text
		if u.subject() != "DEVICE" || !probe && (verb == "dip" || verb == "drift") || verb == "set" && len(at.kinds) == 0 || verb == "heal" && at.state == "healthy" || verb == "clean" && !strings.Contains(at.state, "fouling") {
			continue
		}
		v.Forms = append(v.Forms, g.page.fill(g.w, u, p.ID, choices, g.last))
	}
	v.Open, v.Lately = g.last != nil && g.last.subject == p.ID, g.lately("", p.ID)
	return v
}

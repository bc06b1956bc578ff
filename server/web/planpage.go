package web

import (
	"net/http"
	"slices"
	"strconv"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/plan"
)

// planRoutes are the plan of the commune as numbers.
func (s *Server) planRoutes() []route {
	read := needs(account.SeeRegister)
	return []route{
		{"GET /plan", read, s.page(s.planPage)},
		{"GET /plan.xlsx", read, s.planSheet},
	}
}

// planView is a year of the plan.
type planView struct {
	frame
	Year       int
	Years      []int
	Floor      bool
	Targets    []targetLine
	All        sumLine
	Branches   []sumLine
	Crops      []sumLine
	Seasons    []sumLine
	Households []sumLine
	Contracts  []contractLine
	Astray     string
	Edit       bool
}

type targetLine struct {
	ID, Name  string
	Want      string
	Have      string // "": nobody knows
	Share     string // per cent
	Width     int    // of its bar, per cent, at most 100
	Reached   bool
	Known     bool
	Decision  string
	Reckoning string // how Have came to be; "" where it is a count
}

// sumLine is a row of sums, in words.
type sumLine struct {
	Name, Sub        string
	Places           int64
	Ha               string
	Harvested, Sold  string
	Yield            string
	Value, PerHa     string
	Unpriced, Floors string
	Large            bool
}

type contractLine struct {
	ID, Number, Buyer, Product   string
	Promised, Delivered, Missing string
	Share                        int
	Last                         string
	Floor                        string
	Below, Unpriced, Outside     string
	Overdue                      bool
}

// planAsked reckons the plan of the year that the address asks for, this year where it asks for none.
func (s *Server) planAsked(r *http.Request) (plan.Plan, int, bool, error) {
	ctx := r.Context()
	f, reg, err := s.landAndRegister(ctx)
	if err != nil {
		return plan.Plan{}, 0, false, err
	}
	c := plan.Case{Farm: f, Year: s.o.Now().In(farm.Time()).Year(), Floor: r.URL.Query().Get("floor") != "", Now: s.o.Now()}
	if y, err := strconv.Atoi(r.URL.Query().Get("year")); err == nil && y >= 2000 && y <= 2200 {
		c.Year = y
	}
	for _, k := range farm.RecordKinds() {
		c.Records = append(c.Records, reg[k]...)
	}
	events, err := s.o.Book.Events(ctx, diary.Query{Kinds: []string{diary.Harvest, diary.Sale}})
	if err != nil {
		return plan.Plan{}, 0, false, err
	}
	c.Entries = diary.Entries(events)
	return plan.Reckon(c), c.Year, c.Floor, nil
}

func (s *Server) planPage(r *http.Request, w *words) (answer, error) {
	p, year, floor, err := s.planAsked(r)
	if err != nil {
		return answer{}, err
	}
	v := planView{Year: year, Years: p.Years, Floor: floor, All: sumOf(w, w.t("plan.all"), "", p.All), Edit: s.may(r.Context(), account.EditFarm)}
	if !slices.Contains(v.Years, year) {
		v.Years = append([]int{year}, v.Years...)
	}
	for _, t := range p.Targets {
		v.Targets = append(v.Targets, targetOf(w, t))
	}
	for _, b := range p.Branches {
		v.Branches = append(v.Branches, sumOf(w, w.t("option.branch."+string(b.Branch)), "", b.Sum))
	}
	for _, c := range p.Crops {
		v.Crops = append(v.Crops, sumOf(w, c.Name, w.t("option.branch."+string(c.Branch)), c.Sum))
	}
	for _, c := range p.Seasons {
		v.Seasons = append(v.Seasons, sumOf(w, c.Name, "", c.Sum))
	}
	for _, h := range p.Households {
		line := sumOf(w, h.Code, h.Name, h.Sum)
		line.Large = h.Large()
		v.Households = append(v.Households, line)
	}
	for _, c := range p.Contracts {
		v.Contracts = append(v.Contracts, contractOf(w, c))
	}
	if a := p.Astray; a.HarvestedKG > 0 || a.SoldKG > 0 {
		v.Astray = w.t("plan.astray", w.kilos(a.HarvestedKG), w.kilos(a.SoldKG))
	}
	return s.draw(r, w, "plan.html", "farm", w.t("plan.title"), func(fr frame) any { v.frame = fr; return v })
}

// kilos writes a mass: in tonnes from one tonne on.
func (w *words) kilos(kg float64) string {
	if kg >= 1000 {
		return w.num(kg/1000, 2) + nbsp + w.t("plan.tons")
	}
	return w.num(kg, 0) + nbsp + "kg"
}

// money writes VND: in millions from one million on, as people say it.
func (w *words) money(vnd float64) string {
	if vnd >= 1e6 {
		return w.num(vnd/1e6, 1) + nbsp + w.t("plan.millions")
	}
	return w.num(vnd, 0) + nbsp + "đ"
}

func sumOf(w *words, name, sub string, s plan.Sum) sumLine {
	line := sumLine{Name: name, Sub: sub, Places: int64(s.Places), Ha: w.num(s.Ha, 2)}
	if s.HarvestedKG > 0 {
		line.Harvested = w.kilos(s.HarvestedKG)
	}
	if s.SoldKG > 0 {
		line.Sold = w.kilos(s.SoldKG)
	}
	if y, ok := s.TonsPerHa(); ok {
		line.Yield = w.t("plan.yield.of", w.num(y, 2), w.num(s.HarvestedHa, 2))
	}
	if y, ok := s.ValuePerHa(); ok {
		line.Value, line.PerHa = w.money(s.Value), w.money(y)
	}
	if s.UnpricedKG > 0 {
		line.Unpriced = w.kilos(s.UnpricedKG)
	}
	if s.FloorValue > 0 {
		line.Floors = w.money(s.FloorValue)
	}
	return line
}

func targetOf(w *words, t plan.Target) targetLine {
	write := func(v float64) string {
		switch t.Record.Values.Text("target_of") {
		case plan.AreaHa:
			return w.num(v, 2) + nbsp + "ha"
		case plan.ValueHa:
			return w.money(v) + "/ha"
		case plan.Tons:
			return w.num(v, 2) + nbsp + w.t("plan.tons") + "/ha"
		}
		return w.t("plan.households", w.num(v, 0))
	}
	line := targetLine{ID: t.Record.ID, Name: t.Record.Name(), Want: write(t.Want), Known: t.Known, Decision: t.Record.Values.Text("decision")}
	if t.Known {
		line.Have, line.Share = write(t.Have), w.num(100*t.Share(), 0)
		if t.Record.Values.Text("target_of") == plan.ValueHa {
			line.Reckoning = w.money(t.Of.Value) + " / " + w.num(t.Of.Ha, 2) + nbsp + "ha"
		} else if t.Record.Values.Text("target_of") == plan.Tons {
			line.Reckoning = w.kilos(t.Of.HarvestedKG) + " / " + w.num(t.Of.HarvestedHa, 2) + nbsp + "ha"
		}
		line.Width, line.Reached = int(min(100, 100*t.Share())), t.Have >= t.Want
	}
	return line
}

func contractOf(w *words, c plan.Contract) contractLine {
	line := contractLine{
		ID: c.Record.ID, Number: c.Record.Name(), Buyer: c.Buyer, Product: c.Product, Promised: w.kilos(c.PromisedKG), Delivered: w.kilos(c.DeliveredKG),
		Last: w.date(c.Last), Overdue: c.Overdue,
	}
	if c.PromisedKG > 0 {
		line.Share = int(min(100, 100*c.DeliveredKG/c.PromisedKG))
	}
	for kg, to := range map[*float64]*string{&c.BelowKG: &line.Below, &c.UnpricedKG: &line.Unpriced, &c.OutsideKG: &line.Outside} {
		if *kg > 0 {
			*to = w.kilos(*kg)
		}
	}
	if m := c.Missing(); m > 0 {
		line.Missing = w.kilos(m)
	}
	if c.Floor > 0 {
		line.Floor = w.num(c.Floor, 0) + nbsp + "đ/kg"
	}
	return line
}

// planName is the file's name of a year.
func planName(year int) string { return "ke-hoach-" + strconv.Itoa(year) + ".xlsx" }

package web

import (
	"cmp"
	"context"
	"html/template"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"aovuon/gateway/measure"
	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/web/chart"
)

// compareRoutes are where places are laid beside each other.
func (s *Server) compareRoutes() []route {
	see := needs(account.SeePlaces)
	return []route{
		{"GET /compare", see, s.page(s.compare)},
		{"GET /compare/chart.png", see, s.comparePicture},
	}
}

// comparison is one quantity at several places over one time.
type comparison struct {
	quantity measure.Quantity
	period   period
	places   []comparedPlace
	graph    chart.Chart
	gone     time.Time // single readings of before were let go; zero: none were
	more     bool      // of more places than can be told apart was asked: the first are here
}

type comparedPlace struct {
	farm.Place
	letter  string
	series  history.Series
	buckets []history.Bucket

	unsigned bool // its device cannot sign
}

type comparePage struct {
	frame
	Period     periodView
	Times      string
	Step       int64
	Quantities []optionView
	Places     []placeChoice
	Keep       []pair // the period, for the form of places
	Chart      *figure
	Rows       []compareRow
	Same       string // why no limits are drawn; "": they are
	Wrong      string
	Broken     bool
	Nothing    bool // nothing is measured anywhere
	PNG        string
}

type placeChoice struct {
	Code, Label string
	Chosen      bool
}

// compareRow is one place of a comparison in numbers.
type compareRow struct {
	Letter, Class       string
	Title, Href, Sensor string
	Low, LowAt          string
	Mean, High, HighAt  string
	Measured            string // share of the steps with values
	Nothing             bool
}

// measuredAnywhere lists what is measured at places in a time, in the order people read quantities; machines' own are not among them.
func measuredAnywhere(all map[string][]history.Series) []measure.Quantity {
	return slices.DeleteFunc(slices.Clone(measure.Quantities()), func(q measure.Quantity) bool {
		if q == measure.AlarmState || q.OfGateway() {
			return true
		}
		for _, list := range all {
			if slices.ContainsFunc(list, func(sr history.Series) bool { return sr.Quantity == q }) {
				return false
			}
		}
		return true
	})
}

// compared reads what a comparison asks for. Where no place is named, or one alone, others of its kind stand beside it. nil: nothing is measured.
func (s *Server) compared(ctx context.Context, w *words, f *farm.Farm, q url.Values, asked period) (*comparison, []measure.Quantity, error) {
	all, values := map[string][]history.Series{}, s.values(ctx)
	for _, p := range f.Places {
		all[p.Code] = seriesAt(f, p, values, asked.From, asked.To.Add(time.Nanosecond))
	}
	quantities := measuredAnywhere(all)
	if len(quantities) == 0 {
		return nil, nil, nil
	}
	c := &comparison{quantity: measure.Quantity(q.Get("quantity"))}
	if !slices.Contains(quantities, c.quantity) {
		c.quantity = quantities[0]
		if slices.Contains(quantities, measure.DissolvedOxygen) {
			c.quantity = measure.DissolvedOxygen
		}
	}
	for _, p := range placesCompared(f, q["place"], func(p farm.Place) bool { _, ok := seriesOf(all[p.Code], c.quantity); return ok }) {
		sr, _ := seriesOf(all[p.Code], c.quantity)
		c.places = append(c.places, comparedPlace{Place: p, series: sr, unsigned: !f.Signs(sr.Gateway)})
	}
	if c.more = len(c.places) > chart.MostCourses; c.more {
		c.places = c.places[:chart.MostCourses]
	}
	var shown []history.Series
	for _, p := range c.places {
		shown = append(shown, p.series)
	}
	asked, gone, err := s.asKept(ctx, shown, asked)
	c.period, c.gone = asked, gone
	if err != nil {
		c.draw(w, f)
		return c, quantities, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(3)
	for i := range c.places {
		c.places[i].letter = string(rune('A' + i))
		group.Go(func() (err error) {
			c.places[i].buckets, err = s.stepsOf(ctx, c.places[i].series, asked)
			return err
		})
	}
	err = group.Wait()
	c.draw(w, f)
	return c, quantities, err
}

// placesCompared are the places that were named; where that is one alone or none, with others of the kind at which the same is measured.
func placesCompared(f *farm.Farm, named []string, measured func(farm.Place) bool) (out []farm.Place) {
	for _, raw := range named {
		code, err := farm.ParseCode(raw)
		if p, ok := f.Place(code); err == nil && ok && measured(p) && !slices.ContainsFunc(out, func(o farm.Place) bool { return o.Code == p.Code }) {
			out = append(out, p)
		}
	}
	if len(out) > 1 {
		return out
	}
	for _, p := range f.Places {
		if measured(p) && len(out) < 4 && (len(out) == 0 || p.Kind == out[0].Kind && p.Code != out[0].Code) {
			out = append(out, p)
		}
	}
	return out
}

// seriesOf returns the first series of a quantity.
func seriesOf(all []history.Series, q measure.Quantity) (history.Series, bool) {
	i := slices.IndexFunc(all, func(sr history.Series) bool { return sr.Quantity == q })
	if i < 0 {
		return history.Series{}, false
	}
	return all[i], true
}

// draw makes the chart. Limits are drawn where they are the same at all places.
func (c *comparison) draw(w *words, f *farm.Farm) {
	heading := w.t("quantity." + string(c.quantity))
	if u := w.unit(c.quantity); u != "" {
		heading += " (" + u + ")"
	}
	c.graph = chart.Chart{
		ID: "compare", Title: w.t("chart.title", heading, c.period.text(w)), From: c.period.From, To: c.period.To, Every: c.period.Step,
		Ticks: c.period.ticks(), MinSpan: leastSpan(c.quantity), NoData: w.t("chart.gap"), Height: 260,
	}
	c.graph.Least, c.graph.Most = ends(c.quantity)
	var every []chart.Step
	for _, p := range c.places {
		steps := toSteps(p.buckets)
		every = append(every, steps...)
		c.graph.Courses = append(c.graph.Courses, chart.Course{Letter: p.letter, Steps: steps})
	}
	c.graph.Number = axisNumber(w, every, c.quantity)
	if limits, same := c.limits(f); same {
		c.graph.Limits = limitsDrawn(w, limits)
	}
}

func (c *comparison) limits(f *farm.Farm) (limits []farm.Limit, same bool) {
	for i, p := range c.places {
		own := slices.Clone(f.LimitsOf(p.Place, c.quantity))
		for k := range own { // two sets may agree in numbers
			own[k] = farm.Limit{Quantity: own[k].Quantity, Level: own[k].Level, Above: own[k].Above, Value: own[k].Value}
		}
		if i == 0 {
			limits = own
		}
		if !slices.Equal(limits, own) {
			return nil, false
		}
	}
	return limits, true
}

// rows are the places in numbers, in the order of their letters.
func (c *comparison) rows(w *words) (out []compareRow) {
	for i, p := range c.places {
		row := compareRow{
			Letter: p.letter, Class: "c" + string(rune('1'+i)), Title: p.Title.In(w.lang), Sensor: p.series.Sensor, Nothing: true,
			Href: inLanguage("/places/"+p.Code+"?"+c.period.query().Encode(), w.lang),
		}
		if p.unsigned {
			row.Sensor += " · " + w.t("unsigned")
		}
		steps := toSteps(p.buckets)
		row.Measured = w.percent(float64(len(steps)) / float64(max(1, c.period.steps())))
		if len(steps) > 0 {
			lo := slices.MinFunc(steps, func(a, b chart.Step) int { return cmp.Compare(a.Min, b.Min) })
			hi := slices.MaxFunc(steps, func(a, b chart.Step) int { return cmp.Compare(a.Max, b.Max) })
			mean, n := 0.0, 0
			for _, b := range p.buckets {
				mean, n = mean+b.Mean*float64(b.N), n+b.N
			}
			row.Nothing, row.Mean = false, w.value(c.quantity, mean/float64(n))
			row.Low, row.LowAt, row.High, row.HighAt = w.value(c.quantity, lo.Min), w.dateTime(lo.Start), w.value(c.quantity, hi.Max), w.dateTime(hi.Start)
			if yesNo(c.quantity) {
				row.Mean, row.Low, row.LowAt, row.High, row.HighAt = w.percent(mean/float64(n)), "—", "", "—", ""
			}
		}
		out = append(out, row)
	}
	return out
}

// query is the part of an address that asks for a comparison, without its period.
func (c *comparison) query() url.Values {
	q := url.Values{"quantity": {string(c.quantity)}}
	for _, p := range c.places {
		q.Add("place", p.Code)
	}
	return q
}

// compareBegun is when the season of the first place named began.
func (s *Server) compareBegun(r *http.Request, f *farm.Farm) (time.Time, error) {
	code, err := farm.ParseCode(r.URL.Query().Get("place"))
	if err != nil {
		return time.Time{}, nil //nolint:nilerr // no place is named: there is no season to begin with
	}
	if _, ok := f.Place(code); !ok {
		return time.Time{}, nil
	}
	return s.seasonOf(r.Context(), code, s.o.Now())
}

func (s *Server) compare(r *http.Request, w *words) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	now := s.o.Now()
	begun, err := s.compareBegun(r, f)
	if err != nil {
		return answer{}, err
	}
	asked, wrong, ok := askedPeriod(r.URL.Query(), begun, now)
	if !ok {
		return s.missing(r, w, "missing.range", "")
	}
	v := comparePage{frame: s.frame(r, w, f, w.t("compare.title")), Step: int64(asked.Step.Seconds())}
	v.Nav, v.Sheet, v.Forms, v.Script = "home", "place.css", true, "chart.js"
	c, quantities, err := s.compared(r.Context(), w, f, r.URL.Query(), asked)
	if err != nil {
		s.o.Log.Warn("compare", slog.Any("err", err))
		v.Broken = true
	}
	if v.Nothing = c == nil; !v.Nothing {
		v.fill(w, f, c, quantities)
		v.Period, v.Step = newPeriodView(w, "/compare", c.query(), asked, begun, wrong, now), int64(c.period.Step.Seconds())
		v.Period.Gone = w.goneText(c.gone)
	}
	body, err := s.e.render(w.lang, "compare.html", "layout", v)
	return answer{status: http.StatusOK, body: body}, err
}

func (v *comparePage) fill(w *words, f *farm.Farm, c *comparison, quantities []measure.Quantity) {
	q := c.query()
	v.Times = inLanguage("/compare?"+q.Encode(), w.lang)
	for _, x := range quantities {
		v.Quantities = append(v.Quantities, optionView{string(x), w.t("quantity." + string(x)), x == c.quantity})
	}
	for _, p := range f.Places {
		chosen := slices.ContainsFunc(c.places, func(o comparedPlace) bool { return o.Code == p.Code })
		v.Places = append(v.Places, placeChoice{p.Code, p.Title.In(w.lang), chosen})
	}
	for k, list := range c.period.query() {
		v.Keep = append(v.Keep, pair{k, list[0]})
	}
	slices.SortFunc(v.Keep, func(a, b pair) int { return cmp.Compare(a.Key, b.Key) })
	if w.lang != Vietnamese {
		v.Keep = append(v.Keep, pair{"lang", w.lang})
	}
	if c.more {
		v.Wrong = w.t("compare.wrong.many", w.count(chart.MostCourses))
	}
	if _, same := c.limits(f); !same {
		v.Same = w.t("compare.limits")
	}
	if v.Broken {
		return
	}
	v.Rows = c.rows(w)
	v.Chart = c.figure(w)
	maps.Copy(q, c.period.query())
	v.PNG = inLanguage("/compare/chart.png?"+q.Encode(), w.lang)
}

// figure is the chart with what the script needs: for each place a line of where its numbers are, and one of its name and letter.
func (c *comparison) figure(w *words) *figure {
	info, _ := c.quantity.Info()
	fig := &figure{
		ID: c.graph.ID, Heading: w.t("quantity." + string(c.quantity)), Unit: w.unit(c.quantity), Decimals: info.Decimals, Share: yesNo(c.quantity),
		From: c.period.From.Unix(), To: c.period.To.Unix(), graph: c.graph,
	}
	for i, p := range c.places {
		if i > 0 {
			fig.Source, fig.Key = fig.Source+"\n", fig.Key+"\n"
		}
		fig.Source += seriesSource(p.Code, c.quantity, c.period)
		fig.Key += seriesKey(p.series) + "\t" + p.letter
	}
	switch {
	case fig.Share:
		fig.Heading, fig.Unit = fig.Heading+" (%)", "%"
	case fig.Unit != "":
		fig.Heading += " (" + fig.Unit + ")"
	}
	fig.graph.Desc = c.said(w)
	fig.SVG = template.HTML(fig.graph.SVG())
	return fig
}

// said puts the comparison into one line.
func (c *comparison) said(w *words) string {
	out := ""
	for _, row := range c.rows(w) {
		if out != "" {
			out += " "
		}
		if row.Nothing {
			out += w.t("compare.none", row.Letter, row.Title)
			continue
		}
		out += w.t("compare.line", row.Letter, row.Title, row.Low, row.Mean, row.High)
	}
	return out
}

// comparePicture sends the chart of a comparison as a picture.
func (s *Server) comparePicture(rw http.ResponseWriter, r *http.Request) {
	w := s.words(r)
	s.answerPicture(rw, r, func() (chart.Picture, string, error) {
		f, err := s.farmNow(r.Context())
		if err != nil {
			return chart.Picture{}, "", err
		}
		begun, err := s.compareBegun(r, f)
		if err != nil {
			return chart.Picture{}, "", err
		}
		asked, wrong, ok := askedPeriod(r.URL.Query(), begun, s.o.Now())
		if !ok || wrong != "" {
			return chart.Picture{}, "", errNoSeries
		}
		c, _, err := s.compared(r.Context(), w, f, r.URL.Query(), asked)
		if err != nil {
			return chart.Picture{}, "", err
		}
		if c == nil {
			return chart.Picture{}, "", errNoSeries
		}
		fig := c.figure(w)
		lines := []string{w.t("period.text", w.dateTime(asked.From), w.dateTime(asked.To)), fig.graph.Desc}
		for _, p := range c.places {
			if p.unsigned {
				lines = append(lines, p.letter+": "+w.t("unsigned.what"))
			}
		}
		return s.pictureOf(w, f, fig.graph, fig.Heading, lines), timesFile(farm.Place{Name: "so-sanh"}, string(c.quantity), asked), nil
	})
}

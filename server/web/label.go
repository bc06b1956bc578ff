package web

import (
	"cmp"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/label"
	"aovuon/server/privacy"
	"aovuon/server/trace"
)

// maxGapLines is how many gaps the public page lists, the longest.
const maxGapLines = 12

type labelPage struct {
	frame
	trace.Dossier
	Places   []labelPlace
	Days     int64 // from stocking to harvest
	Verdict  []string
	Columns  []evidenceColumn
	Limits   []string
	Gaps     []gapLine
	MoreGaps int64
	Gateways string
	People   []privacy.Shown // what they agreed to, of those who raised or grew it
	Internal bool            // the product has no GTIN: its number is the co-op's own
	QR       template.HTML
	URL      string
	Bundle   string // address of the lot's evidence bundle; empty: not for everybody
}

type labelPlace struct {
	farm.Place
	Zone    string
	Address string // when the lot was harvested
	Today   string // the same place's address now, where it has another
}

// evidenceColumn is one quantity in the table of the evidence.
type evidenceColumn struct {
	trace.Evidence
	Heading, Unit string
	Any           bool // there are values
	Limited       bool
	WithinHours   string
	Count         int64
	UncalCount    int64
}

// gapLine is a gap that several quantities share.
type gapLine struct {
	trace.Gap
	Reason, Of string
	Days       bool // long enough to be told in days
}

// label draws the public page of a lot. Its path is the label's: malformed ones and unknown ones are not found, and
// neither is guessed at.
func (s *Server) label(r *http.Request, w *words) (answer, error) {
	link, err := s.named(r)
	if bad, ok := errors.AsType[*trace.MalformedError](err); ok {
		return s.missing(r, w, "malformed."+string(bad.Fault), bad.Part)
	}
	var d trace.Dossier
	if err == nil {
		d, err = s.o.Lots.Dossier(r.Context(), link)
	}
	if several, ok := errors.AsType[*severalError](err); ok {
		return s.which(r, w, several.lots)
	}
	if errors.Is(err, trace.ErrUnknown) {
		return s.missing(r, w, "missing.label", "")
	}
	if err != nil {
		return answer{}, err
	}
	f, err := s.wholeFarm(r.Context())
	if err != nil {
		return answer{}, err
	}
	address, err := trace.Address(s.base, link)
	if err != nil {
		return answer{}, err
	}
	p := labelPage{frame: s.frame(r, w, f, d.Product.Name.In(w.lang)), Dossier: d, URL: address, Internal: farm.Internal(d.Lot.GTIN)}
	p.Demo, p.Plain = p.Demo || d.Lot.Demo, true
	if !d.Lot.Sellable() { // its label must not be issued: the page says so, and claims nothing
		p.places(w, f, s.o.Now())
		body, err := s.e.render(w.lang, "label.html", "withheld", p)
		return answer{status: http.StatusOK, body: body, public: true, fresh: true, csp: s.labelCSP()}, err
	}
	if s.o.OpenBatches {
		p.Bundle = "/ledger/bundle" + d.Lot.Link().Path() + ".zip"
	}
	from, to := d.Lot.Span(s.o.Now())
	p.Days = int64(to.Sub(from).Round(24*time.Hour) / (24 * time.Hour))
	p.places(w, f, s.o.Now())
	p.evidence(w)
	p.gaps(w)
	if p.People, err = s.o.People.Producers(r.Context(), d.Lot.Places); err != nil {
		return answer{}, err
	}
	code, err := label.New(p.URL)
	if err != nil {
		return answer{}, err
	}
	p.QR = template.HTML(code.SVG(p.URL))
	body, err := s.e.render(w.lang, "label.html", "label", p)
	return answer{status: http.StatusOK, body: body, public: true, fresh: len(p.People) > 0, csp: s.labelCSP()}, err
}

func (p *labelPage) places(w *words, f *farm.Farm, now time.Time) {
	var gateways []string
	from, to := p.Lot.Span(now)
	for _, code := range p.Lot.Places {
		place, ok := f.Place(code)
		if !ok {
			continue
		}
		l := labelPlace{Place: place}
		if z, ok := f.Zone(place.Zone); ok {
			l.Zone = z.Name.In(w.lang)
			rows := z.Addresses
			if len(rows) == 0 {
				rows = f.Coop.Addresses
			}
			if a, ok := farm.AddressAt(rows, to); ok {
				l.Address = a.Text.In(w.lang)
			}
			if a, ok := farm.AddressAt(rows, now); ok && a.Text.In(w.lang) != l.Address {
				l.Today = a.Text.In(w.lang)
			}
		}
		p.Places = append(p.Places, l)
		for _, m := range f.MountsAt(code, from, to) {
			if !slices.Contains(gateways, m.Gateway) {
				gateways = append(gateways, m.Gateway)
			}
		}
	}
	p.Gateways = strings.Join(gateways, ", ")
}

// evidence turns figures into words first, then into the columns of a table.
func (p *labelPage) evidence(w *words) {
	least := 1.0
	for _, e := range p.Evidence {
		c := evidenceColumn{
			Evidence: e, Heading: w.t("quantity." + string(e.Quantity)), Unit: w.unit(e.Quantity), Any: e.N > 0,
			Limited: len(e.Limits) > 0, Count: int64(e.N), UncalCount: int64(e.Uncal),
		}
		least = min(least, e.Share())
		band := bandText(w, e)
		switch {
		case !c.Any:
			p.Verdict = append(p.Verdict, w.t("evidence.none", c.Heading))
		case !c.Limited:
			p.Verdict = append(p.Verdict, w.t("evidence.range", c.Heading, w.valueUnit(e.Quantity, e.Min), w.valueUnit(e.Quantity, e.Max)))
		default:
			p.Verdict = append(p.Verdict, w.t("evidence.within", c.Heading, w.percent(e.ShareWithin()), band))
		}
		if c.Limited {
			c.WithinHours = w.hours(e.Within)
			line := w.t("evidence.limit", c.Heading, band, e.Limits[0].Source.In(w.lang))
			p.Limits = append(p.Limits, line)
		}
		p.Columns = append(p.Columns, c)
	}
	if len(p.Evidence) > 0 {
		p.Verdict = append([]string{w.t("evidence.covered", w.percent(least))}, p.Verdict...)
	}
}

// bandText writes the limits as a band: "từ 6,50 đến 9,00".
func bandText(w *words, e trace.Evidence) string {
	var low, high string
	for _, l := range e.Limits {
		if l.Above {
			high = w.limit(e.Quantity, l.Value)
		} else {
			low = w.limit(e.Quantity, l.Value)
		}
	}
	switch {
	case low != "" && high != "":
		return w.t("band.both", low, high)
	case low != "":
		return w.t("band.low", low)
	}
	return w.t("band.high", high)
}

// gaps gathers the gaps of all quantities; those that begin and end together, to ten minutes, are one line.
func (p *labelPage) gaps(w *words) {
	type key struct {
		reason   trace.GapReason
		from, to int64
	}
	at := map[key]int{}
	for _, e := range p.Evidence {
		p.MoreGaps += int64(e.MoreGaps)
		for _, g := range e.Gaps {
			k := key{g.Reason, g.From.Unix() / 600, g.To.Unix() / 600}
			name := w.t("quantity." + string(e.Quantity))
			if i, ok := at[k]; ok {
				p.Gaps[i].Of += ", " + lowerFirst(name)
				continue
			}
			at[k] = len(p.Gaps)
			p.Gaps = append(p.Gaps, gapLine{Gap: g, Reason: w.t("gap." + string(g.Reason)), Of: name, Days: g.To.Sub(g.From) >= 48*time.Hour})
		}
	}
	if more := len(p.Gaps) - maxGapLines; more > 0 {
		slices.SortStableFunc(p.Gaps, func(a, b gapLine) int { return cmp.Compare(b.To.Sub(b.From), a.To.Sub(a.From)) })
		p.Gaps = p.Gaps[:maxGapLines]
		p.MoreGaps += int64(more)
	}
	slices.SortStableFunc(p.Gaps, func(a, b gapLine) int { return a.From.Compare(b.From) })
}

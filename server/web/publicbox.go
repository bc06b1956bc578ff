package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/trace/digitallink"
)

// boxAsked returns the number of the box that a path names, long or short; "" for one that names none. The error is a *trace.MalformedError, or
// wraps trace.ErrUnknown.
func boxAsked(r *http.Request) (sscc string, err error) {
	path := r.URL.EscapedPath()
	switch {
	case strings.HasPrefix(path, "/t/"):
		short, err := trace.ParseShort(path)
		return short.SSCC, err
	case !strings.HasPrefix(path, "/00/"):
		return "", nil
	}
	d, err := digitallink.ParsePath(path, r.URL.RawQuery)
	if err == nil && farm.InternalSSCC(d.Key.Value) { // a number of our own is none of GS1's
		err = trace.ErrUnknown
	}
	return d.Key.Value, err
}

// boxFacts is what everybody may know of a box: what is in it, by lot.
type boxFacts struct {
	publicFrame
	Code     string
	Internal bool // the number is the co-op's own
	Filled   time.Time
	Lots     []boxLot
	Boxes    int64 // in it
}

type boxLot struct {
	Name, Code, Href string
	Amount           string
	Tone, Verdict    string
}

// Bounds of what is looked up of a box that holds boxes.
const mostBoxes, mostBoxLots = 200, 60

// publicBox draws the page of a box; the error wraps trace.ErrUnknown where there is none.
func (s *Server) publicBox(r *http.Request, sscc string) (codePart, error) {
	ctx, w, now := r.Context(), s.words(r), s.o.Now()
	if s.o.Packed == nil {
		return codePart{}, trace.ErrUnknown
	}
	rev, err := s.o.Lots.LotRevision(ctx, trace.Link{})
	if err != nil {
		return codePart{}, fmt.Errorf("web: revision: %w", err)
	}
	c, err := s.commons.get(ctx, commonOf{what: "box " + sscc, lang: w.lang}, rev+" "+w.date(now), func(ctx context.Context) (*common, error) { return s.drawBox(ctx, sscc, w, now) })
	if err != nil {
		return codePart{}, err
	}
	v := codeView{Reports: s.o.Reports != nil, Demo: c.demo}
	if s.o.Scans != nil {
		v.Scan = s.o.Scans.Scanned(ctx, s.scanOf(r, trace.BoxAddress("", sscc)))
		v.Seen = !v.Scan.Unknown
	}
	verdict := c.verdict
	if len(v.Scan.Unusual) > 0 && verdict == trace.IsValid {
		verdict = trace.IsUnusual
	}
	v.sayBox(w, verdict)
	middle, err := s.e.render(w.lang, "label.html", "verdict", v)
	return partOf(c, middle), err
}

// sayBox tells the gravest verdict of what is in a box.
func (v *codeView) sayBox(w *words, verdict trace.Verdict) {
	v.Tone, v.Head, v.Why = string(verdict.Tone()), w.t("verdict."+string(verdict)), w.t("public.box.some."+string(verdict.Tone()))
	v.counted(w)
}

// drawBox draws what of a box's page is the same for everybody.
func (s *Server) drawBox(ctx context.Context, sscc string, w *words, now time.Time) (*common, error) {
	all, err := s.boxesIn(ctx, sscc)
	if err != nil {
		return nil, err
	}
	f, err := s.wholeFarm(ctx)
	if err != nil {
		return nil, err
	}
	b := boxFacts{publicFrame: s.publicFrame(w, f, w.t("public.box.title")), Code: sscc, Internal: farm.InternalSSCC(sscc), Filled: all[0].Filled, Boxes: int64(len(all) - 1)}
	c := &common{verdict: trace.IsValid}
	if all[0].State == trace.ItemVoid {
		c.verdict = trace.LabelVoid
	}
	grave := func(v trace.Verdict) {
		if slices.Index(trace.Verdicts(), v) < slices.Index(trace.Verdicts(), c.verdict) {
			c.verdict = v
		}
	}
	for _, l := range lotsIn(all) {
		link, _ := l.Ref.Link()
		d, err := s.o.Lots.Dossier(ctx, link)
		if err != nil {
			return nil, err
		}
		v := trace.Judge(d.Lot.State, nil, false, now)
		grave(v)
		if d.Lot.Demo {
			c.demo = w.t("demo.banner")
		}
		line := boxLot{Name: d.Product.Name.In(w.lang), Code: d.Lot.Code, Href: inLanguage(link.Path(), w.lang), Tone: string(v.Tone()), Verdict: w.t("verdict." + string(v))}
		if l.Count > 0 {
			line.Amount = w.amount("stage.packs", int64(l.Count))
		} else if l.KG > 0 {
			line.Amount = w.kilos(l.KG)
		}
		b.Lots = append(b.Lots, line)
	}
	c.page, err = s.compose(w, "head", "box", b)
	return c, err
}

// boxesIn returns a box and those within it, the box itself first.
func (s *Server) boxesIn(ctx context.Context, sscc string) (out []trace.Box, err error) {
	for todo := []string{sscc}; len(todo) > 0 && len(out) < mostBoxes; todo = todo[1:] {
		b, ok, err := s.o.Packed.Box(ctx, todo[0])
		if err != nil {
			return nil, fmt.Errorf("web: box: %w", err)
		}
		if !ok {
			return nil, trace.ErrUnknown
		}
		out = append(out, b)
		for _, p := range b.Parts {
			if p.Ref.Kind == trace.RefBox && !slices.Contains(todo, p.Ref.ID) {
				todo = append(todo, p.Ref.ID)
			}
		}
	}
	return out, nil
}

// lotsIn sums up what boxes hold, by lot.
func lotsIn(all []trace.Box) (out []trace.Part) {
	for _, b := range all {
		for _, p := range b.Parts {
			if p.Ref.Kind != trace.RefLot {
				continue
			}
			i := slices.IndexFunc(out, func(o trace.Part) bool { return o.Ref == p.Ref })
			if i < 0 && len(out) == mostBoxLots {
				continue
			}
			if i < 0 {
				i = len(out)
				out = append(out, trace.Part{Ref: p.Ref})
			}
			out[i].Count += max(p.Count, len(p.Items))
			out[i].KG += p.KG
		}
	}
	return out
}

package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/trace"
	"aovuon/server/trace/epcis"
	"aovuon/server/trace/flow"
)

// Captures keeps EPCIS documents of others; see sqldb.DB for what each promises.
type Captures interface {
	Capture(ctx context.Context, document []byte, events int, by ledger.By) (sum string, added bool, err error)
	CapturedDocument(ctx context.Context, sum string) (document []byte, ok bool, err error)
	CapturedList(ctx context.Context, most int) ([]sqldb.Captured, error)
}

func (s *Server) captureRoutes() []route {
	if s.o.Captures == nil || s.o.Goods == nil {
		return nil
	}
	return []route{
		{"GET /epcis", needs(account.SeeRegister), s.page(s.epcisPage)},
		{"POST /epcis", needs(account.EditFarm), s.upload(s.captureForm)},
		{"POST /epcis/capture", guard{action: account.EditFarm, script: true}, s.captureAPI},
		{"GET /epcis/capture/{sum}", needs(account.SeeRegister), s.plain(s.captured)},
	}
}

// ordered is what a document is to be made into.
type ordered struct {
	product  string // number of a product of the co-op's, as which what was sent is received; "": nothing is received
	supplier string // as people call it; "": as the document names it
}

// taken is what became of a document.
type taken struct {
	Sum      string         `json:"captured"`
	Events   int            `json:"events"`
	Added    bool           `json:"added"` // false: it was captured before
	Supplies []epcis.Supply `json:"supplies"`
	Received []receivedLot  `json:"received,omitempty"`
}

// receivedLot is a lot that was opened of a supply, or why none was.
type receivedLot struct {
	Ref trace.Ref `json:"ref"`
	Lot string    `json:"lot,omitempty"` // path of its Digital Link on this server
	Why string    `json:"why,omitempty"`
}

// capture keeps a document and receives what it sends. Sending it again changes nothing: what was received once is not received again.
func (s *Server) capture(ctx context.Context, who flow.Who, raw []byte, o ordered) (taken, []epcis.Problem, error) {
	doc, problems := epcis.Decode(raw)
	if len(problems) > 0 {
		return taken{}, problems, nil
	}
	var out taken
	var err error
	out.Events, out.Supplies = len(doc.Body.Events), epcis.Supplies(doc.Body.Events)
	out.Sum, out.Added, err = s.o.Captures.Capture(ctx, raw, out.Events, ledger.By{Actor: who.Actor, At: s.o.Now()})
	if err != nil || o.product == "" {
		return out, nil, err
	}
	for _, supply := range out.Supplies {
		r, err := s.receive(ctx, who, supply, o, out.Sum)
		if err != nil {
			return out, nil, err
		}
		out.Received = append(out.Received, r)
	}
	return out, nil, nil
}

// receive opens a lot of a supply. What the goods desk refuses is told and keeps none of the others back.
func (s *Server) receive(ctx context.Context, who flow.Who, supply epcis.Supply, o ordered, sum string) (receivedLot, error) {
	out := receivedLot{Ref: supply.Ref}
	kg, ok := supply.KG()
	if !ok {
		out.Why = "the document says no mass of it: receive it by hand"
		return out, nil
	}
	had, err := s.o.Goods.GoodsOf(ctx, supply.Ref)
	if err != nil {
		return out, err
	}
	for _, g := range had {
		voided := slices.ContainsFunc(had, func(a trace.Goods) bool { return a.Kind == trace.Amend && a.Voids == g.ID })
		if g.Kind == trace.Receive && !voided {
			out.Why = "it was received before"
			for _, p := range g.Out {
				if l, ok := p.Ref.Link(); ok {
					out.Lot = l.Path()
				}
			}
			return out, nil
		}
	}
	supplier := o.supplier
	if supplier == "" {
		supplier = supply.From
	}
	g, err := s.o.Goods.Take(ctx, who, trace.Goods{
		Kind: trace.Receive, At: s.o.Now(), Supplier: supplier, Document: "EPCIS " + sum[:12],
		In:  []trace.Part{{Ref: supply.Ref, KG: kg}},
		Out: []trace.Part{{Ref: trace.Ref{Kind: trace.RefLot, ID: o.product + "/"}, KG: kg}},
	})
	if refused, ok := errors.AsType[*flow.RefusedError](err); ok {
		out.Why = refused.Error()
		return out, nil
	}
	if err != nil {
		return out, err
	}
	for _, p := range g.Out {
		if l, ok := p.Ref.Link(); ok {
			out.Lot = l.Path()
		}
	}
	return out, nil
}

// captureAPI answers POST /epcis/capture?product=&supplier=: a document comes in whole, or what is wrong with it is told event by event and nothing
// is kept.
func (s *Server) captureAPI(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("GS1-EPCIS-Version", "2.0.0")
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, epcis.MostBytes+1))
	if _, large := errors.AsType[*http.MaxBytesError](err); large || len(raw) > epcis.MostBytes {
		s.problem(w, http.StatusRequestEntityTooLarge, "CaptureLimitExceededException", fmt.Sprintf("at most %d bytes at once", epcis.MostBytes), nil)
		return
	}
	if err != nil {
		s.problem(w, http.StatusBadRequest, "ValidationException", "the document did not arrive whole: send it again", nil)
		return
	}
	o := ordered{r.URL.Query().Get("product"), cut(r.URL.Query().Get("supplier"))}
	if err := s.orderable(r.Context(), o); err != nil {
		s.problem(w, http.StatusBadRequest, "ValidationException", err.Error(), nil)
		return
	}
	out, problems, err := s.capture(r.Context(), s.mover(r), raw, o)
	switch {
	case err != nil:
		s.o.Log.Error("capture failed", slog.Any("err", err))
		s.problem(w, http.StatusServiceUnavailable, "ImplementationException", "the database does not answer: send it again", nil)
	case len(problems) > 0:
		s.problem(w, http.StatusBadRequest, "ValidationException", "nothing was kept; each fault says where it is and how to mend it", problems)
	default:
		h.Set("Location", "/epcis/capture/"+out.Sum)
		status := http.StatusOK
		if out.Added {
			status = http.StatusCreated
		}
		s.apiSend(w, status, out)
	}
}

// orderable checks that the product is one of the co-op's.
func (s *Server) orderable(ctx context.Context, o ordered) error {
	if o.product == "" {
		return nil
	}
	list, err := s.o.Goods.Products(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(p trace.Product) bool { return p.GTIN == o.product }) {
		return fmt.Errorf("product %.40q: want the number of a product of the co-op's", o.product)
	}
	return nil
}

// captured answers with a document as it came.
func (s *Server) captured(r *http.Request) (file, error) {
	sum := r.PathValue("sum")
	raw, ok, err := s.o.Captures.CapturedDocument(r.Context(), sum)
	if err == nil && !ok {
		err = ledger.ErrNoLeaf
	}
	return file{body: raw, mime: mimeLD, private: true, name: "epcis-" + cut(sum)[:min(12, len(sum))] + ".jsonld"}, err
}

type epcisView struct {
	frame
	From, To string // the month so far
	Products []choiceView
	Can      bool // the visitor may take documents in
	Problem  string
	Faults   []string
	Taken    *takenView
	Kept     []keptView
}

type choiceView struct{ Value, Label string }

type takenView struct {
	Events   int64
	Again    bool
	Supplies []supplyView
}

type supplyView struct{ Lot, Amount, Href, Opened, Why string }

type keptView struct {
	Href, When string
	Events     int64
}

// epcisPage is where staff exchange events with others.
func (s *Server) epcisPage(r *http.Request, w *words) (answer, error) {
	return s.drawEPCIS(r, w, epcisView{})
}

func (s *Server) drawEPCIS(r *http.Request, w *words, v epcisView) (answer, error) {
	ctx, now := r.Context(), s.o.Now().In(farm.Time())
	v.From, v.To, v.Can = now.AddDate(0, 0, 1-now.Day()).Format("2006-01-02"), now.Format("2006-01-02"), s.may(ctx, account.EditFarm)
	list, err := s.o.Goods.Products(ctx)
	if err != nil {
		return answer{}, err
	}
	for _, p := range list {
		v.Products = append(v.Products, choiceView{p.GTIN, p.Name.In(w.lang)})
	}
	kept, err := s.o.Captures.CapturedList(ctx, 50)
	if err != nil {
		return answer{}, err
	}
	for _, c := range kept {
		v.Kept = append(v.Kept, keptView{"/epcis/capture/" + c.Sum, w.dateTime(c.Made), int64(c.Events)})
	}
	a, err := s.draw(r, w, "epcis.html", "lots", w.t("epcis.title"), func(fr frame) any { v.frame = fr; return v })
	if v.Problem != "" {
		a.status = http.StatusUnprocessableEntity
	}
	return a, err
}

// captureForm takes a document from a page.
func (s *Server) captureForm(r *http.Request, w *words) (answer, error) {
	raw, _, err := importSent(r)
	if err != nil {
		return answer{}, err
	}
	if len(raw) == 0 {
		return s.drawEPCIS(r, w, epcisView{Problem: w.t("epcis.nofile")})
	}
	o := ordered{r.PostForm.Get("product"), cut(strings.TrimSpace(r.PostForm.Get("supplier")))}
	if err := s.orderable(r.Context(), o); err != nil {
		return s.drawEPCIS(r, w, epcisView{Problem: w.t("epcis.noproduct")})
	}
	out, problems, err := s.capture(r.Context(), s.mover(r), raw, o)
	if err != nil {
		return answer{}, err
	}
	if len(problems) > 0 {
		v := epcisView{Problem: w.t("epcis.faults", w.count(int64(len(problems))))}
		for _, p := range problems {
			v.Faults = append(v.Faults, p.String())
		}
		return s.drawEPCIS(r, w, v)
	}
	t := &takenView{Events: int64(out.Events), Again: !out.Added}
	for _, supply := range out.Supplies {
		line := supplyView{Lot: supply.Lot}
		if kg, ok := supply.KG(); ok {
			line.Amount = w.mass(kg)
		} else if supply.Quantity > 0 && supply.Unit == "" {
			line.Amount = w.num(supply.Quantity, 0)
		}
		for _, got := range out.Received {
			if got.Ref != supply.Ref {
				continue
			}
			if l, err := trace.ParseLink(got.Lot, ""); err == nil {
				line.Href, line.Opened = lotHref(l), l.Lot
			}
			if got.Why != "" {
				line.Why = w.t("epcis.notreceived")
			}
		}
		t.Supplies = append(t.Supplies, line)
	}
	return s.drawEPCIS(r, w, epcisView{Taken: t})
}

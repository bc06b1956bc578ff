package web

import (
	"fmt"
	"net/http"

	"golang.org/x/mod/sumdb/note"

	"aovuon/server/farm"
	"aovuon/server/ledger"
)

// headSaid is what pages say of the newest signed head.
type headSaid struct {
	Head    ledger.Head // of no leaves while nothing is signed
	Seen    []ledger.Seen
	Witness string // how many of how many witnesses
}

// headSaid reads the newest signed head, and who has seen it.
func (s *Server) headSaid(r *http.Request, w *words) (p headSaid, err error) {
	raw, err := s.o.Ledger.Checkpoint(r.Context(), 0)
	if err != nil || raw == nil {
		return p, err
	}
	var witnesses []note.Verifier
	if s.o.LogKey.Policy != nil {
		for _, x := range s.o.LogKey.Policy.Witnesses {
			witnesses = append(witnesses, x.Verifier)
		}
	}
	h, n, err := ledger.OpenHead(raw, s.o.LogKey.Verifier, witnesses...)
	if err != nil {
		return p, err
	}
	p.Head, p.Witness = h, w.t("proof.witness.none")
	if len(witnesses) > 0 {
		p.Seen = s.o.LogKey.Policy.SeenBy(n)
		p.Witness = w.t("proof.witness", w.count(int64(len(p.Seen))), w.count(int64(len(witnesses))))
	}
	return p, nil
}

type ledgerPage struct {
	frame
	headSaid
	Log, VKey, Base string
	Hashes, Leaves  string // paths of the first tiles
	Last            int64  // the newest leaf that is signed
}

// ledgerPage says to people what the ledger is, where its files are and how all of it is checked.
func (s *Server) ledgerPage(r *http.Request, w *words) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		f = &farm.Farm{}
	}
	p := ledgerPage{frame: s.frame(r, w, f, w.t("ledger.title")), Log: s.o.LogKey.Verifier.Name(), VKey: s.o.LogKey.VKey, Base: s.base}
	p.Plain = true
	if p.headSaid, err = s.headSaid(r, w); err != nil {
		return answer{}, err
	}
	first := "000"
	if full := int64(1) << ledger.TileHeight; p.Head.Size < full {
		first = fmt.Sprintf("000.p/%d", p.Head.Size)
	}
	p.Hashes, p.Leaves, p.Last = "/ledger/tile/0/"+first, "/ledger/tile/entries/"+first, p.Head.Size-1
	body, err := s.e.render(w.lang, "ledger.html", "layout", p)
	return answer{status: http.StatusOK, body: body, public: true}, err
}

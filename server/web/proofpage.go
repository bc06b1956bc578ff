package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"aovuon/server/ledger"
)

type proofPage struct {
	frame
	N       int64
	Leaf    ledger.Leaf
	What    string // the kind in words
	Lot     string // path of the lot it is about; empty: of something else
	By      string
	Waiting bool // no signed head covers it yet
	headSaid
	Log      string
	VKey     string
	Body     string // what was recorded, to read; empty: not public, erased, or too long
	HasBody  bool
	Previous string
	Base     string
}

// shownBody is how much of a body is shown on the page; all of it can be fetched.
const shownBody = 6000

// proofOf draws the page of one leaf of the ledger: what was recorded, since when, signed by whom, seen by how many witnesses, and a check
// that the reader's own browser makes.
func (s *Server) proofOf(r *http.Request, w *words) (answer, error) {
	n, err := leafNumber(r, "")
	if err != nil {
		return s.missing(r, w, "missing.proof", "")
	}
	leaves, err := s.o.Ledger.LedgerLeaves(r.Context(), n, n+1)
	if err != nil {
		return answer{}, err
	}
	if len(leaves) == 0 {
		return s.missing(r, w, "missing.proof", "")
	}
	leaf, err := ledger.ParseLeaf(leaves[0])
	if err != nil {
		return answer{}, err
	}
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	p := proofPage{
		frame: s.frame(r, w, f, w.t("proof.title", w.count(n))), N: n, Leaf: leaf, What: w.t("leaf." + string(leaf.Kind)), By: leaf.Actor,
		Log: s.o.LogKey.Verifier.Name(), VKey: s.o.LogKey.VKey, Base: s.base,
	}
	p.Plain, p.Script = true, "proof.js"
	if key := "actor." + leaf.Actor; w.has(key) {
		p.By = w.t(key)
	}
	if strings.HasPrefix(leaf.Subject, "/01/") {
		p.Lot = leaf.Subject
	}
	if leaf.Previous != nil {
		p.Previous = leaf.Previous.String()
	}
	if p.headSaid, err = s.headSaid(r, w); err != nil {
		return answer{}, err
	}
	p.Waiting = p.N >= p.Head.Size
	if err := p.body(s, r); err != nil {
		return answer{}, err
	}
	body, err := s.e.render(w.lang, "proof.html", "layout", p)
	return answer{status: http.StatusOK, body: body, public: true}, err
}

// body reads what was recorded, where that is public and still there.
func (p *proofPage) body(s *Server, r *http.Request) error {
	if !p.Leaf.Kind.Public() {
		return nil
	}
	salt, body, err := s.o.Ledger.LedgerBody(r.Context(), p.N)
	if errors.Is(err, ledger.ErrNoLeaf) || err == nil && salt == nil {
		return nil
	}
	if err != nil {
		return err
	}
	p.HasBody = true
	var text bytes.Buffer
	if json.Indent(&text, body, "", " ") == nil && text.Len() <= shownBody {
		p.Body = text.String()
	}
	return nil
}

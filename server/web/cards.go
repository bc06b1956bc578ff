package web

import (
	"errors"
	"html/template"
	"net/http"
	"slices"
	"time"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/label"
)

type cardsView struct {
	frame
	Problem string
	Farmers []farmerLine
}

type farmerLine struct {
	account.Account
	Places string
	Card   *account.Card // in service; nil: none
	Shut   bool          // too many wrong PINs
}

func (s *Server) cardsPage(r *http.Request, w *words) (answer, error) { return s.cardsForm(r, w, nil) }

func (s *Server) cardsForm(r *http.Request, w *words, wrong error) (answer, error) {
	all, err := s.o.Accounts.People.Accounts(r.Context())
	if err != nil {
		return answer{}, err
	}
	cards, err := s.o.Accounts.Cards.Cards(r.Context())
	if err != nil {
		return answer{}, err
	}
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	v := cardsView{}
	status := http.StatusOK
	if wrong != nil {
		if v.Problem, status, err = s.told(w, wrong); err != nil {
			return answer{}, err
		}
	}
	for _, a := range all {
		if a.Role != account.Farmer || !a.Active() {
			continue
		}
		line := farmerLine{Account: a, Places: placeNames(w, f, a.Places)}
		if i := slices.IndexFunc(cards, func(c account.Card) bool { return c.Account == a.ID && c.Revoked.IsZero() }); i >= 0 {
			line.Card = &cards[i]
			line.Shut = cards[i].Shut()
		}
		v.Farmers = append(v.Farmers, line)
	}
	a, err := s.draw(r, w, "cards.html", "cards", w.t("cards.title"), func(fr frame) any { v.frame = fr; return v })
	a.status = status
	return a, err
}

type sheetView struct {
	frame
	Cards []printedCard
	Coop  farm.Text
	Made  time.Time
}

type printedCard struct {
	account.NewCard
	Typed string
	QR    template.HTML
}

// maxSheet is how many cards are made at once.
const maxSheet = 100

// makeCards makes the cards of the farmers that were ticked, and shows the sheet to print: their codes are seen now and never again.
func (s *Server) makeCards(r *http.Request, w *words) (answer, error) {
	ids := r.PostForm["farmer"]
	if len(ids) == 0 || len(ids) > maxSheet {
		return s.cardsForm(r, w, account.ErrNotFarmer)
	}
	made, err := s.o.Accounts.MakeCards(r.Context(), ids, s.o.Accounts.By(visitor(r.Context())))
	if err != nil {
		return s.cardsForm(r, w, err)
	}
	v := sheetView{Made: s.o.Now()}
	for _, n := range made {
		qr, err := label.New(s.base + "/c/" + n.Code)
		if err != nil {
			return answer{}, err
		}
		v.Cards = append(v.Cards, printedCard{n, account.ShowCode(n.Code), template.HTML(qr.SVG(w.t("sheet.qr", n.Name)))})
	}
	return s.draw(r, w, "sheet.html", "cards", w.t("sheet.title"), func(fr frame) any {
		v.frame, v.Coop = fr, fr.Coop
		v.There = inLanguage("/cards", map[string]string{Vietnamese: English, English: Vietnamese}[w.lang])
		return v
	})
}

func (s *Server) revokeCard(r *http.Request, w *words) (answer, error) {
	err := s.o.Accounts.Cards.RevokeCard(r.Context(), r.PathValue("id"), s.o.Accounts.By(visitor(r.Context())))
	if errors.Is(err, account.ErrNone) {
		return s.missing(r, w, "missing.page", "")
	}
	if err != nil {
		return answer{}, err
	}
	return answer{to: inLanguage("/cards", w.lang)}, nil
}

package web

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/trace/scan"
)

// ShopBook is who may say that an item was sold.
type ShopBook interface {
	Shops(ctx context.Context) ([]scan.Shop, error)
	AddShop(ctx context.Context, s scan.Shop, code string, by ledger.By) error
	// ShopOf returns the shop of a code; the error wraps scan.ErrNoShop.
	ShopOf(ctx context.Context, code string) (scan.Shop, error)
	RevokeShop(ctx context.Context, id string, by ledger.By) error
}

// mostShopName is how long the name of a shop may be, characters.
const mostShopName = 80

type shopsView struct {
	frame
	Problem string
	Name    string // as it was typed
	Made    string // code of the shop that was just made: it is shown once
	MadeFor string
	Shops   []shopRow
}

type shopRow struct {
	ID, Name, Since, Sold string
	Revoked               string // empty: it may sell
}

func (s *Server) shopsPage(r *http.Request, w *words) (answer, error) {
	return s.drawShops(r, w, shopsView{})
}

func (s *Server) drawShops(r *http.Request, w *words, v shopsView) (answer, error) {
	list, err := s.o.ScanDesk.Shops(r.Context())
	if err != nil {
		return answer{}, err
	}
	for _, x := range list {
		row := shopRow{ID: x.ID, Name: x.Name, Since: w.t("shops.since", w.date(x.Made)), Sold: w.amount("shops.sold", int64(x.Sold))}
		if !x.Revoked.IsZero() {
			row.Revoked = w.t("shops.revoked", w.date(x.Revoked))
		}
		v.Shops = append(v.Shops, row)
	}
	a, err := s.draw(r, w, "shops.html", "scans", w.t("shops.title"), func(fr frame) any { v.frame = fr; return v })
	if v.Problem != "" {
		a.status = http.StatusUnprocessableEntity
	}
	return a, err
}

// addShop gives a shop a code, which is shown this once: only its sum is kept.
func (s *Server) addShop(r *http.Request, w *words) (answer, error) {
	name := strings.TrimSpace(r.PostForm.Get("name"))
	if name == "" || utf8.RuneCountInString(name) > mostShopName {
		return s.drawShops(r, w, shopsView{Problem: w.t("shops.problem.name", w.count(mostShopName)), Name: name})
	}
	code, err := farm.NewCode(rand.Reader)
	if err != nil {
		return answer{}, err
	}
	id, err := s.newEventID()
	if err != nil {
		return answer{}, err
	}
	if err := s.o.ScanDesk.AddShop(r.Context(), scan.Shop{ID: id, Name: name}, code, s.sender(r)); err != nil {
		return answer{}, err
	}
	return s.drawShops(r, w, shopsView{Made: SpokenCode(code), MadeFor: name})
}

func (s *Server) revokeShop(r *http.Request, w *words) (answer, error) {
	err := s.o.ScanDesk.RevokeShop(r.Context(), r.PostForm.Get("id"), s.sender(r))
	if errors.Is(err, scan.ErrNoShop) {
		return s.drawShops(r, w, shopsView{Problem: w.t("shops.problem.gone")})
	}
	return answer{to: inLanguage("/scans/shops", w.lang)}, err
}

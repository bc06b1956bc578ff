package web_test

import (
	"net/http"
	"strings"
	"testing"

	"aovuon/server/account"
)

// phoneBook has the co-op's telephone number.
type phoneBook struct {
	number, fixed string
	kept          int
}

func (p *phoneBook) Number() string { return p.number }
func (p *phoneBook) Fixed() string  { return p.fixed }

func (p *phoneBook) Keep(number string) error {
	p.number, p.kept = number, p.kept+1
	return nil
}

func TestCoop_ItsTelephoneIsOnTheFarmersCard(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	blank := "<tr>\n<td>hợp tác xã (mất thẻ, đổi điện thoại)</td>\n<td></td>\n</tr>"
	if card := string(w.as("", http.MethodGet, "/help/farmer-card", nil, nil).body); !strings.Contains(card, blank) {
		t.Errorf("no line to write a number on:\n%s", card)
	}
	form := w.values("/coop")
	form.Set("phone", "0912 345")
	if res := w.as(account.Technician, http.MethodPost, "/coop", form, nil); res.status != http.StatusUnprocessableEntity || !strings.Contains(string(res.body), `value="0912 345"`) || w.called.kept > 0 {
		t.Errorf("too short: %d, %+v\n%s", res.status, w.called, wrongs(res.body))
	}
	form.Set("phone", " 0912 345 678 ")
	if res := w.as(account.Technician, http.MethodPost, "/coop", form, nil); res.status != http.StatusSeeOther || w.called.number != "0912 345 678" {
		t.Fatalf("%d, %+v\n%s", res.status, w.called, wrongs(res.body))
	}
	for _, lang := range []string{"vi", "en"} {
		if card := string(w.as("", http.MethodGet, withLang("/help/farmer-card", lang), nil, nil).body); !strings.Contains(card, "<td>0912 345 678</td>") {
			t.Errorf("%s: not on the card:\n%s", lang, card)
		}
	}
	// Saving something else asks nobody to keep the number again, and a zone has none.
	if res := w.as(account.Technician, http.MethodPost, "/coop", w.values("/coop"), nil); res.status != http.StatusSeeOther || w.called.kept != 1 {
		t.Errorf("%d, %+v", res.status, w.called)
	}
	if zone := w.as(account.Technician, http.MethodGet, "/zones/new", nil, nil); strings.Contains(string(zone.body), `name="phone"`) {
		t.Error("a zone has a number")
	}
	// Where the person who runs the server wrote it, it is theirs.
	w.called.fixed = "/etc/aovuon-server/server.yaml"
	form = w.values("/coop")
	form.Set("phone", "")
	page := w.as(account.Technician, http.MethodGet, "/coop", nil, nil)
	if res := w.as(account.Technician, http.MethodPost, "/coop", form, nil); res.status != http.StatusSeeOther || w.called.kept != 1 || !strings.Contains(string(page.body), "Ghi trong tệp /etc/aovuon-server/server.yaml") {
		t.Errorf("%d, %+v", res.status, w.called)
	}
}

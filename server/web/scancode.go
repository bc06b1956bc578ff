package web

import (
	"context"
	"net/http"
	"strings"
	"unicode/utf8"

	"aovuon/server/account"
	"aovuon/server/trace"
	"aovuon/server/trace/scan"
)

// mostRows is how many scans of a code are shown, mostReason how long a reason may be, characters.
const mostRows, mostReason = 100, 500

type scanCodeView struct {
	frame
	Problem   string
	Row       suspectRow
	Code      string
	Page      string // address of the public page
	State     string // of an item, in words
	Sold      string // when, and who said so; empty: nobody
	CanSell   bool
	Clients   string
	Scans     []scanRow
	Decisions []decisionRow
	Edit      bool
	Note      string // as it was typed
}

// scanRow is one scan, in words. Browser is a letter: who it was, nobody knows; on another day the same one has another.
type scanRow struct{ When, Browser, Where, State string }

type decisionRow struct{ When, Who, What, Note string }

func (s *Server) scanCodePage(r *http.Request, w *words) (answer, error) {
	return s.drawScanCode(r, w, r.URL.Query().Get("of"), "", "")
}

func (s *Server) drawScanCode(r *http.Request, w *words, code, problem, note string) (answer, error) {
	ctx := r.Context()
	x, ok, err := s.o.ScanDesk.Suspect(ctx, code)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return s.missing(r, w, "scans.code.none", "")
	}
	names, err := s.codeNames(ctx, w)
	if err != nil {
		return answer{}, err
	}
	rows, err := s.o.ScanDesk.ScanRows(ctx, code, mostRows)
	if err != nil {
		return answer{}, err
	}
	decisions, err := s.o.ScanDesk.ScanDecisions(ctx, code)
	if err != nil {
		return answer{}, err
	}
	v := scanCodeView{
		Problem: problem, Row: newSuspectRow(w, names, x), Code: code, Page: inLanguage(code, w.lang), Edit: s.may(ctx, account.EditFarm), Note: note,
		Clients: w.count(int64(x.Clients)), Scans: scanRows(w, rows),
	}
	for _, d := range decisions {
		row := decisionRow{When: w.dateTime(d.At), What: w.t("scan.decided." + string(d.Verdict)), Note: d.Note}
		if row.Who, err = s.accountName(r.Context(), d.Actor); err != nil {
			return answer{}, err
		}
		v.Decisions = append(v.Decisions, row)
	}
	if err := s.saleOf(r, w, &v); err != nil {
		return answer{}, err
	}
	a, err := s.draw(r, w, "scancode.html", "scans", w.t("scans.code.title"), func(fr frame) any { v.frame = fr; return v })
	if problem != "" {
		a.status = http.StatusUnprocessableEntity
	}
	return a, err
}

// accountName returns what an account is called; one that is gone keeps its pseudonym.
func (s *Server) accountName(ctx context.Context, id string) (string, error) {
	all, err := s.o.Accounts.People.Accounts(ctx)
	if err != nil {
		return "", err
	}
	for _, a := range all {
		if a.ID == id && a.Name != "" {
			return a.Name, nil
		}
	}
	return id, nil
}

// saleOf says whether an item was sold, and who said so.
func (s *Server) saleOf(r *http.Request, w *words, v *scanCodeView) error {
	subjects, err := s.o.ScanDesk.Subjects(r.Context(), []string{v.Code})
	if err != nil {
		return err
	}
	sub, ok := subjects[v.Code]
	if !ok || sub.Kind != scan.OfItem {
		return nil
	}
	v.State = w.t("item." + string(sub.State))
	v.CanSell = sub.State == trace.ItemActivated || sub.State == trace.ItemShipped
	if sub.Sold.IsZero() {
		return nil
	}
	sale, said, err := s.o.ScanDesk.Sale(r.Context(), serialOf(v.Code))
	if err != nil || !said {
		return err
	}
	who := ""
	if sale.Actor != "" {
		if who, err = s.accountName(r.Context(), sale.Actor); err != nil {
			return err
		}
	} else {
		shops, err := s.o.ScanDesk.Shops(r.Context())
		if err != nil {
			return err
		}
		for _, shop := range shops {
			if shop.ID == sale.Shop {
				who = shop.Name
			}
		}
	}
	v.Sold = w.t("scan.sold.by", w.dateTime(sale.At), who)
	return nil
}

// scanRows puts scans into words, the newest first, and gives browsers letters in the order they came.
func scanRows(w *words, rows []scan.Row) []scanRow {
	letters := map[scan.Client]string{}
	out := make([]scanRow, len(rows))
	for i := len(rows) - 1; i >= 0; i-- {
		row := rows[i]
		if letters[row.Client] == "" {
			letters[row.Client] = letter(len(letters))
		}
		out[i] = scanRow{When: w.dateTime(row.At), Browser: letters[row.Client], Where: provinceName(w, row.Province)}
		if row.Said {
			out[i].Where = w.t("scan.said", out[i].Where)
		}
		if row.State != "" {
			out[i].State = w.t("item." + string(row.State))
		}
	}
	return out
}

// letter counts A … Z, AA, AB …
func letter(n int) string {
	if n < 26 {
		return string(rune('A' + n))
	}
	return letter(n/26-1) + letter(n%26)
}

// decideScan keeps what somebody decided of a code.
func (s *Server) decideScan(r *http.Request, w *words) (answer, error) {
	code, note := r.PostForm.Get("of"), strings.TrimSpace(r.PostForm.Get("note"))
	verdict := scan.Verdict(r.PostForm.Get("verdict"))
	switch {
	case verdict != scan.InOrder && verdict != scan.Copied:
		return s.drawScanCode(r, w, code, w.t("scan.problem.verdict"), note)
	case note == "":
		return s.drawScanCode(r, w, code, w.t("scan.problem.note"), note)
	case utf8.RuneCountInString(note) > mostReason:
		return s.drawScanCode(r, w, code, w.t("scan.problem.long", w.count(mostReason)), note)
	}
	id, err := s.newEventID()
	if err != nil {
		return answer{}, err
	}
	if _, ok, err := s.o.ScanDesk.Suspect(r.Context(), code); err != nil || !ok {
		if err != nil {
			return answer{}, err
		}
		return s.missing(r, w, "scans.code.none", "")
	}
	if err := s.o.ScanDesk.Decide(r.Context(), scan.Decision{ID: id, Code: code, Verdict: verdict, Note: note}, s.sender(r)); err != nil {
		return answer{}, err
	}
	if s.o.Scans != nil {
		s.o.Scans.Changed(code)
	}
	return answer{to: inLanguage("/scans", w.lang)}, nil
}

// staffSold keeps that an item was sold, or takes it back.
func (s *Server) staffSold(r *http.Request, w *words) (answer, error) {
	code := r.PostForm.Get("of")
	subjects, err := s.o.ScanDesk.Subjects(r.Context(), []string{code})
	if err != nil {
		return answer{}, err
	}
	sub, ok := subjects[code]
	if !ok || sub.Kind != scan.OfItem {
		return s.missing(r, w, "scans.code.none", "")
	}
	if r.PostForm.Get("undo") != "" {
		err = s.o.ScanDesk.Unsell(r.Context(), serialOf(code))
	} else if sub.State == trace.ItemActivated || sub.State == trace.ItemShipped {
		by := s.sender(r)
		_, err = s.o.ScanDesk.Sell(r.Context(), scan.Sale{Serial: serialOf(code), At: by.At, Actor: by.Actor})
	} else if sub.State != trace.ItemSold {
		return s.drawScanCode(r, w, code, w.t("sold.problem.state", w.t("item."+string(sub.State))), "")
	}
	if err != nil {
		return answer{}, err
	}
	return answer{to: inLanguage(scanHref(code), w.lang)}, nil
}

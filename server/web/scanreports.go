package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"aovuon/server/account"
	"aovuon/server/ledger"
	"aovuon/server/trace/scan"
)

// ReportBook is what buyers wrote, for who answers them.
type ReportBook interface {
	// Reports returns the open ones, or those that are closed, the newest first; at most so many.
	Reports(ctx context.Context, closed bool, most int) ([]scan.Handled, error)
	// AnswerReport keeps what was found; closing it forgets how to reach who wrote. The error wraps scan.ErrNoReport where it is not open.
	AnswerReport(ctx context.Context, id, answer string, closing bool, by ledger.By) error
}

// mostReports is how many reports the page shows.
const mostReports = 100

type reportsView struct {
	frame
	Problem, ID string // of the report that was answered wrongly
	Reports     []reportRow
	Closed      bool
	Edit        bool
}

type reportRow struct {
	ID, When, What, Where, Note, Contact string
	Code, Href, Page                     string // Href: what is known of its scans; Page: its public page, empty where it is none of ours
	Answer, Answered, Typed              string
}

func (s *Server) reportsPage(r *http.Request, w *words) (answer, error) {
	return s.drawReports(r, w, reportsView{Closed: r.URL.Query().Get("closed") != ""}, "")
}

func (s *Server) drawReports(r *http.Request, w *words, v reportsView, typed string) (answer, error) {
	list, err := s.o.ScanDesk.Reports(r.Context(), v.Closed, mostReports)
	if err != nil {
		return answer{}, err
	}
	v.Edit = s.may(r.Context(), account.EditFarm)
	for _, x := range list {
		row := reportRow{ID: x.ID, When: w.dateTime(x.At), What: w.t("report.what." + x.What), Where: x.Where, Note: x.Note, Code: x.Code, Answer: x.Answer, Typed: x.Answer}
		if v.Edit { // a telephone number is for who calls back
			row.Contact = x.Contact
		}
		if ours(x.Code) {
			row.Href, row.Page = scanHref(x.Code), inLanguage(x.Code, w.lang)
		}
		if !x.Answered.IsZero() {
			who, err := s.accountName(r.Context(), x.By)
			if err != nil {
				return answer{}, err
			}
			row.Answered = w.t("reports.answered", w.dateTime(x.Answered), who)
		}
		if x.ID == v.ID {
			row.Typed = typed
		}
		v.Reports = append(v.Reports, row)
	}
	a, err := s.draw(r, w, "reports.html", "scans", w.t("reports.title"), func(fr frame) any { v.frame = fr; return v })
	if v.Problem != "" {
		a.status = http.StatusUnprocessableEntity
	}
	return a, err
}

// answerReport keeps what was found of a report.
func (s *Server) answerReport(r *http.Request, w *words) (answer, error) {
	id, text, closing := r.PostForm.Get("id"), strings.TrimSpace(r.PostForm.Get("answer")), r.PostForm.Get("close") != ""
	switch {
	case text == "":
		return s.drawReports(r, w, reportsView{Problem: w.t("reports.problem.empty"), ID: id}, text)
	case utf8.RuneCountInString(text) > mostReason:
		return s.drawReports(r, w, reportsView{Problem: w.t("scan.problem.long", w.count(mostReason)), ID: id}, text)
	}
	err := s.o.ScanDesk.AnswerReport(r.Context(), id, text, closing, s.sender(r))
	if errors.Is(err, scan.ErrNoReport) {
		return s.drawReports(r, w, reportsView{Problem: w.t("reports.problem.gone"), ID: id}, text)
	}
	return answer{to: inLanguage("/scans/reports", w.lang)}, err
}

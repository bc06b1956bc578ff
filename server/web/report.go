package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aovuon/server/trace/scan"
)

// Reports keeps what buyers write of codes.
type Reports interface {
	AddReport(ctx context.Context, r scan.Report) error
}

// Bounds of a report, bytes, and how often an address may write one.
const (
	maxReported, mostWhere, mostReportNote, mostContact = 300, 200, 1000, 100

	reportBurst, reportEvery = 5, 2 * time.Minute
)

// reportView is the form of a report, and what is said when it was kept.
type reportView struct {
	publicFrame
	scan.Report
	Kinds   []string
	Problem string
	Done    bool
	Back    string
}

func (s *Server) reportForm(r *http.Request, w *words) (answer, error) {
	return s.drawReport(r, w, reportView{Report: scan.Report{Code: pathOnly(r.URL)}}, http.StatusOK)
}

func (s *Server) drawReport(r *http.Request, w *words, v reportView, status int) (answer, error) {
	if s.o.Reports == nil {
		return s.missing(r, w, "missing.page", "")
	}
	f, err := s.wholeFarm(r.Context())
	if err != nil {
		return answer{}, err
	}
	v.publicFrame, v.Kinds, v.Back = s.publicFrame(w, f, w.t("report.title")), scan.ReportKinds(), inLanguage("/", w.lang)
	v.There = "?" + asksReport + "&lang=" + English
	if w.lang == English {
		v.There = "?" + asksReport
	}
	if ours(v.Code) {
		v.Back = inLanguage(v.Code, w.lang)
	}
	if r.Method == http.MethodPost { // what a form answers cannot be asked for again
		v.There = inLanguage("/", w.lang)
	}
	body, err := s.e.render(w.lang, "label.html", "report", v)
	return answer{status: status, body: body, secret: true, csp: strings.Replace(s.labelCSP(), "form-action 'none'", "form-action 'self'", 1)}, err
}

// ours reports whether a path is one that a code of ours leads to: only those become links.
func ours(path string) bool {
	return slices.ContainsFunc([]string{"/01/", "/t/", "/00/", "/414/", "/p/"}, func(p string) bool { return strings.HasPrefix(path, p) })
}

// report keeps what somebody wrote.
func (s *Server) report(r *http.Request, _ *words) (answer, error) {
	w := s.e.words[Vietnamese]
	if in, ok := s.e.words[r.PostForm.Get("lang")]; ok {
		w = in
	}
	get := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	rep := scan.Report{Code: get("code"), What: get("what"), Where: get("where"), Note: get("note"), Contact: get("contact"), At: s.o.Now()}
	v := reportView{Report: rep}
	switch {
	case !slices.Contains(scan.ReportKinds(), rep.What):
		v.Problem = w.t("report.problem.what")
	case !fits(rep.Code, maxReported) || !fits(rep.Where, mostWhere) || !fits(rep.Note, mostReportNote) || !fits(rep.Contact, mostContact):
		v.Problem = w.t("report.problem.long")
	}
	if v.Problem != "" {
		return s.drawReport(r, w, v, http.StatusUnprocessableEntity)
	}
	if s.o.Reports == nil {
		return s.missing(r, w, "missing.page", "")
	}
	var err error
	if rep.ID, err = s.newEventID(); err != nil {
		return answer{}, err
	}
	if err := s.o.Reports.AddReport(r.Context(), rep); err != nil {
		return answer{}, err
	}
	v.Done = true
	return s.drawReport(r, w, v, http.StatusOK)
}

// fits reports whether a text is one, and short enough; Vietnamese letters take two or three bytes.
func fits(s string, most int) bool { return utf8.ValidString(s) && len(s) <= 3*most }

package web

import (
	"context"
	"net/http"

	"aovuon/server/privacy"
)

// People is what may be shown of the people behind a lot; see sqldb.DB.
type People interface {
	// Producers returns what everybody may see of the people of some places now.
	Producers(ctx context.Context, places []string) ([]privacy.Shown, error)
}

type privacyPage struct {
	frame
	Shown   []audience
	Consent []string // fields that are shown only while the person agrees
	Text    []string // what people agree to
	Version string
	Kept    []keptLine
}

// audience is who sees what without asking anybody.
type audience struct {
	Who    string
	Fields []string
}

type keptLine struct{ What, Until string }

// privacy draws the page that says what is shown to whom. It is drawn from the table that the pages themselves obey.
func (s *Server) privacy(r *http.Request, w *words) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	p := privacyPage{frame: s.frame(r, w, f, w.t("privacy.title")), Text: privacy.Paragraphs(w.lang), Version: privacy.TextVersion}
	p.Plain = true
	for _, who := range privacy.Audiences() {
		a := audience{Who: w.t("privacy.to." + string(who))}
		if who == privacy.Staff && s.o.OpenPages { // the page never promises more than the server holds to
			a.Who = w.t("privacy.to.staff.open")
		}
		for _, field := range privacy.Fields() {
			switch text := w.t("privacy.field." + field.ID); {
			case field.To != who:
			case field.Consent:
				p.Consent = append(p.Consent, text)
			default:
				a.Fields = append(a.Fields, text)
			}
		}
		p.Shown = append(p.Shown, a)
	}
	for _, k := range privacy.Retention() {
		until := w.t("privacy.until." + string(k.Until))
		if k.Until == privacy.UntilBackups && s.o.BackupDays > 0 {
			until = w.t("privacy.until.backups.days", w.count(int64(s.o.BackupDays)))
		}
		switch days := w.count(int64(s.o.ScanDays)); {
		case s.o.ScanDays == 0:
		case k.Until == privacy.UntilScans:
			until = w.t("privacy.until.scans.days", days)
		case k.Until == privacy.UntilReports:
			until = w.t("privacy.until.reports.days", days)
		}
		p.Kept = append(p.Kept, keptLine{What: w.t("privacy.kept." + k.ID), Until: until})
	}
	body, err := s.e.render(w.lang, "privacy.html", "layout", p)
	return answer{status: http.StatusOK, body: body, public: true}, err
}

package web

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/server/account"
	"aovuon/server/ledger"
	"aovuon/server/trace"
	"aovuon/server/trace/scan"
	"aovuon/server/web/locator"
)

// ScanDesk is what staff read and decide of scans, reports and shops; sqldb.DB is one.
type ScanDesk interface {
	ScanBook
	ScanFigures
	ReportBook
	ShopBook
	SaleBook
}

// ScanBook is what is known of single codes.
type ScanBook interface {
	Suspects(ctx context.Context, most int) ([]scan.Suspect, error)
	Suspect(ctx context.Context, code string) (scan.Suspect, bool, error)
	ScanRows(ctx context.Context, code string, most int) ([]scan.Row, error)
	ScanDecisions(ctx context.Context, code string) ([]scan.Decision, error)
	Decide(ctx context.Context, d scan.Decision, by ledger.By) error
}

// ScanFigures is what is known of all codes together.
type ScanFigures interface {
	ScanDays(ctx context.Context, since time.Time) (map[string]scan.Day, error)
	ScanProvinces(ctx context.Context, since time.Time) (map[string]int, error)
	Sweeps(ctx context.Context, since time.Time, most int) ([]scan.Sweep, error)
}

// scanRoutes are where staff see who opens the pages of codes, and what buyers write.
func (s *Server) scanRoutes() []route {
	if s.o.ScanDesk == nil || s.o.Accounts == nil {
		return nil
	}
	read, edit := needs(account.SeeRegister), needs(account.EditFarm)
	return []route{
		{"GET /scans", read, s.page(s.scansPage)},
		{"GET /scans/code", read, s.page(s.scanCodePage)},
		{"POST /scans/code", edit, s.form(s.decideScan)},
		{"POST /scans/sold", edit, s.form(s.staffSold)},
		{"GET /scans/reports", read, s.page(s.reportsPage)},
		{"POST /scans/reports", edit, s.form(s.answerReport)},
		{"GET /scans/shops", edit, s.page(s.shopsPage)},
		{"POST /scans/shops", edit, s.form(s.addShop)},
		{"POST /scans/shops/revoke", edit, s.form(s.revokeShop)},
	}
}

// scanDays is how far the page of scans looks back.
const scanDays = 30

// The most that the page of scans shows of each.
const mostSuspects, mostSweeps = 50, 10

type scansView struct {
	frame
	Total, Again, Robots, Own, Unknown, Swept string
	Lost                                      string // empty: none were
	Suspects                                  []suspectRow
	Map                                       template.HTML
	Provinces                                 []provinceRow
	Nowhere                                   string // scans of which nobody knows the province
	Sweeps                                    []sweepRow
	Reports                                   string // open ones
	Any, Edit                                 bool
}

// suspectRow is a code whose scans are unusual, in words.
type suspectRow struct {
	Href, Name, Lot, Serial string
	Since, Count            string
	Copied                  bool // somebody decided so
	Why                     []string
	Todo                    []string
}

type provinceRow struct{ Name, Count, Share string }

type sweepRow struct{ When, Where, What string }

func (s *Server) scansPage(r *http.Request, w *words) (answer, error) {
	ctx, since := r.Context(), s.o.Now().AddDate(0, 0, -scanDays)
	days, err := s.o.ScanDesk.ScanDays(ctx, since)
	if err != nil {
		return answer{}, err
	}
	v := scansView{Edit: s.may(ctx, account.EditFarm)}
	v.figures(w, days)
	suspects, err := s.o.ScanDesk.Suspects(ctx, mostSuspects)
	if err != nil {
		return answer{}, err
	}
	names, err := s.codeNames(ctx, w)
	if err != nil {
		return answer{}, err
	}
	for _, x := range suspects {
		v.Suspects = append(v.Suspects, newSuspectRow(w, names, x))
	}
	provinces, err := s.o.ScanDesk.ScanProvinces(ctx, since)
	if err != nil {
		return answer{}, err
	}
	v.places(w, provinces)
	sweeps, err := s.o.ScanDesk.Sweeps(ctx, since, mostSweeps)
	if err != nil {
		return answer{}, err
	}
	for _, x := range sweeps {
		v.Sweeps = append(v.Sweeps, newSweepRow(w, x))
	}
	open, err := s.o.ScanDesk.Reports(ctx, false, mostReports)
	if err != nil {
		return answer{}, err
	}
	v.Reports = w.count(int64(len(open)))
	return s.draw(r, w, "scans.html", "scans", w.t("scans.title"), func(fr frame) any { v.frame = fr; return v })
}

func (v *scansView) figures(w *words, days map[string]scan.Day) {
	var sum scan.Day
	for _, d := range days {
		sum.Add(d)
	}
	n := func(n int) string { return w.count(int64(n)) }
	v.Total, v.Again, v.Robots, v.Own, v.Unknown, v.Swept = n(sum.Scans), n(sum.Again), n(sum.Robots), n(sum.Own), n(sum.Unknown), n(sum.Swept)
	if sum.Lost > 0 {
		v.Lost = n(sum.Lost)
	}
	v.Any = len(days) > 0
}

// places puts scans by province on the map, and into a table, the most first.
func (v *scansView) places(w *words, provinces map[string]int) {
	total := 0
	for _, n := range provinces {
		total += n
	}
	m := locator.Dots{ID: "scans", Title: w.t("scans.map"), Desc: w.t("scans.map.desc")}
	codes := make([]string, 0, len(provinces))
	for code := range provinces {
		codes = append(codes, code)
	}
	slices.SortFunc(codes, func(a, b string) int {
		if d := provinces[b] - provinces[a]; d != 0 {
			return d
		}
		return slices.Compare([]byte(a), []byte(b))
	})
	for _, code := range codes {
		n := provinces[code]
		if code == "" {
			v.Nowhere = w.t("scans.nowhere", w.count(int64(n)), w.percent(float64(n)/float64(total)))
			continue
		}
		name := provinceName(w, code)
		v.Provinces = append(v.Provinces, provinceRow{name, w.count(int64(n)), w.percent(float64(n) / float64(total))})
		if p, ok := scan.ProvinceOf(code); ok {
			m.Dots = append(m.Dots, locator.Dot{North: p.North, East: p.East, N: n, Text: name + ": " + w.count(int64(n))})
		}
	}
	if len(m.Dots) > 0 {
		v.Map = template.HTML(m.SVG())
	}
}

// provinceName names a province; what is not known is said to be so.
func provinceName(w *words, code string) string {
	switch name := scan.ProvinceName(code); {
	case name != "":
		return name
	case code == scan.Abroad:
		return w.t("scan.abroad")
	}
	return w.t("scan.nowhere")
}

// codeNames are the names of products, where lots are kept here.
func (s *Server) codeNames(ctx context.Context, w *words) (map[string]string, error) {
	if s.o.Goods == nil {
		return map[string]string{}, nil
	}
	return s.productNames(ctx, w)
}

func scanHref(code string) string { return "/scans/code?" + url.Values{"of": {code}}.Encode() }

func newSuspectRow(w *words, names map[string]string, x scan.Suspect) suspectRow {
	row := suspectRow{
		Href: scanHref(x.Code), Name: names[x.Subject.GTIN], Lot: x.Subject.Lot, Serial: serialOf(x.Code), Since: w.dateTime(x.First), Count: w.count(int64(x.Count)),
		Copied: x.Decision.Verdict == scan.Copied && len(x.Found) > 0,
	}
	if row.Name == "" {
		row.Name = x.Subject.GTIN
	}
	for _, f := range x.Found {
		row.Why = append(row.Why, foundText(w, f))
		if todo := w.t("scan.todo." + string(f.Rule)); !slices.Contains(row.Todo, todo) {
			row.Todo = append(row.Todo, todo)
		}
	}
	return row
}

// serialOf returns the serial of a code, or the number of a box; empty for a lot.
func serialOf(code string) string {
	if l, err := trace.ParseLink(code, ""); err == nil {
		return l.Serial
	}
	return strings.TrimPrefix(strings.TrimPrefix(code, "/00/"), "/t/")
}

// foundText says what is unusual, with the figures.
func foundText(w *words, f scan.Finding) string {
	key, n := "scan.found."+string(f.Rule), w.count(int64(f.N))
	switch f.Rule {
	case scan.Travel:
		return w.t(key, n, provinceName(w, f.From), provinceName(w, f.To), w.length(max(f.Took, time.Minute)))
	case scan.LotRate:
		return w.t(key, n, w.count(int64(f.Units)))
	case scan.ManyClients, scan.Burst, scan.AfterSold, scan.NotActive, scan.Voided:
	}
	return w.t(key, n)
}

func newSweepRow(w *words, x scan.Sweep) sweepRow {
	row := sweepRow{When: w.dateTime(x.Last), Where: provinceName(w, x.Province)}
	if x.Unknown > 0 {
		row.What = w.t("scan.sweep.unknown", strconv.Itoa(x.Codes), strconv.Itoa(x.Unknown))
	} else {
		row.What = w.t("scan.sweep.known", strconv.Itoa(x.Codes))
	}
	return row
}

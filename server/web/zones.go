package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/setup"
)

// zoneView is a zone, or the co-op itself: its name and its addresses.
type zoneView struct {
	frame
	Action    string
	Revision  string
	Name      farm.Text
	Addresses []addressLine // those there are, and an empty one
	Phone     *phoneLine    // of the co-op; nil: not of a zone
	Problem   string
	Wrong     zoneWrongs
}

// zoneWrongs says what is wrong by field: name, name_en; vi, en, from, to with the number of the address.
type zoneWrongs map[string]string

// At is what is wrong with a field; n is the number of its address.
func (z zoneWrongs) At(field string, n ...int) struct{ ID, Said string } {
	for _, i := range n {
		field += strconv.Itoa(i)
	}
	return struct{ ID, Said string }{field, z[field]}
}

// Phone is the telephone number of the co-op, which its papers show.
type Phone interface {
	Number() string           // as somebody wrote it; empty: none is known
	Fixed() string            // names the file that says it, where the page cannot change it
	Keep(number string) error // it was checked
}

// phoneLine is the co-op's number as its form shows it.
type phoneLine struct {
	Number, Fixed string
	Most          int
}

// phoneLine is nil on the pages of zones.
func (s *Server) phoneLine(r *http.Request) *phoneLine {
	if s.o.Phone == nil || r.URL.Path != coopPath {
		return nil
	}
	return &phoneLine{Number: s.o.Phone.Number(), Fixed: s.o.Phone.Fixed(), Most: setup.MostPhone}
}

// take reads the number of a form; other is true where it is another than the one on record, right where it can be called.
func (p *phoneLine) take(form url.Values) (other, right bool) {
	if p == nil || p.Fixed != "" || !form.Has("phone") {
		return false, true
	}
	had := p.Number
	p.Number = strings.TrimSpace(form.Get("phone"))
	return p.Number != had, setup.Phone(p.Number)
}

// addressLine is an address as a form shows it: days as YYYY-MM-DD, empty where open.
type addressLine struct {
	N        int
	VI, EN   string
	From, To string
}

func (s *Server) zonePage(r *http.Request, w *words) (answer, error) {
	f, rev, err := s.farmToEdit(r.Context())
	if err != nil {
		return answer{}, err
	}
	z, ok := f.Zone(r.PathValue("id"))
	switch r.URL.Path {
	case coopPath:
		z, ok = farm.Zone{Name: f.Coop.Name, Addresses: f.Coop.Addresses}, true
	case newZonePath:
		ok = true
	}
	if !ok {
		return s.missing(r, w, "missing.page", "")
	}
	v := zoneView{Name: z.Name, Revision: rev, Phone: s.phoneLine(r)}
	for _, a := range z.Addresses {
		v.Addresses = append(v.Addresses, addressLine{VI: a.Text.VI, EN: a.Text.EN, From: formDay(w, a.ValidFrom), To: formDay(w, a.ValidTo)})
	}
	return s.zoneForm(r, w, v)
}

// The addresses of forms of what has no id in them.
const (
	coopPath    = "/coop"
	newZonePath = "/zones/new"
)

// zoneID makes an id of a name, one that no zone has yet: Đồng khoai -> dong-khoai.
func zoneID(f *farm.Farm, name string) string {
	letters := func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}
	id := strings.Join(strings.FieldsFunc(strings.Map(letters, fold(name)), func(r rune) bool { return r == '-' }), "-")
	id = strings.Trim(id[:min(len(id), 30)], "-")
	if id == "" {
		id = "khu"
	}
	for n, base := 2, id; ; n++ {
		if _, taken := f.Zone(id); !taken {
			return id
		}
		id = base + "-" + strconv.Itoa(n)
	}
}

func formDay(w *words, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(w.zone).Format(time.DateOnly)
}

func (s *Server) zoneForm(r *http.Request, w *words, v zoneView) (answer, error) {
	v.Action = r.URL.Path
	if v.Revision == "" {
		v.Revision = r.PostForm.Get("revision")
	}
	v.Addresses = append(v.Addresses, addressLine{})
	for i := range v.Addresses {
		v.Addresses[i].N = i
	}
	title := v.Name.In(w.lang)
	if title == "" {
		title = w.t("zone.add")
	}
	a, err := s.draw(r, w, "zone.html", "farm", title, func(fr frame) any { v.frame = fr; return v })
	if v.Problem != "" {
		a.status = http.StatusUnprocessableEntity
	}
	return a, err
}

// saveZone keeps a zone's name and its addresses. Provinces are merged and villages renamed: an old address ends on the day the new one
// begins, and stays for what was grown before.
func (s *Server) saveZone(r *http.Request, w *words) (answer, error) {
	v, rows, ok := zoneWritten(r, w)
	if !ok {
		return s.missing(r, w, "missing.page", "")
	}
	v.Phone = s.phoneLine(r)
	called, right := v.Phone.take(r.PostForm)
	if !right {
		v.Wrong["phone"] = w.t("coop.phone.wrong")
	}
	if len(v.Wrong) > 0 {
		v.Problem = w.t("record.wrong")
		return s.zoneForm(r, w, v)
	}
	at := "coop"
	said, mistakes, err := s.edit(r, w, func(f *farm.Farm) bool {
		if r.URL.Path == coopPath {
			f.Coop.Name, f.Coop.Addresses = v.Name, rows
			return true
		}
		i := slices.IndexFunc(f.Zones, func(z farm.Zone) bool { return z.ID == r.PathValue("id") })
		if r.URL.Path == newZonePath {
			i, f.Zones = len(f.Zones), append(f.Zones, farm.Zone{ID: zoneID(f, v.Name.VI)})
		}
		if i >= 0 {
			f.Zones[i].Name, f.Zones[i].Addresses, at = v.Name, rows, fmt.Sprintf("zones[%d]", i)
		}
		return i >= 0
	})
	if err == nil && said == "" && called {
		err = s.o.Phone.Keep(v.Phone.Number)
	}
	switch {
	case err != nil:
		return answer{}, err
	case said == "":
		return answer{status: http.StatusSeeOther, to: inLanguage("/land", w.lang), secret: true}, nil
	}
	for _, m := range mistakes {
		v.mark(w, at, m)
	}
	if v.Problem = said; len(mistakes) > 0 && len(v.Wrong) == 0 { // what is wrong is no part of this form
		v.Problem = w.t("zone.elsewhere", mistakes[0].Error())
	}
	return s.zoneForm(r, w, v)
}

// zoneWritten reads the form: what was written, and the addresses that it says; ok is false where it is no form of ours.
func zoneWritten(r *http.Request, w *words) (v zoneView, rows []farm.Address, ok bool) {
	v = zoneView{Name: inBoth(r.PostForm.Get("name"), r.PostForm.Get("name_en")), Wrong: zoneWrongs{}}
	vi, en, from, to := r.PostForm["vi"], r.PostForm["en"], r.PostForm["from"], r.PostForm["to"]
	for i := range vi {
		if i >= len(en) || i >= len(from) || i >= len(to) {
			return v, nil, false
		}
		line := addressLine{N: len(rows), VI: strings.TrimSpace(vi[i]), EN: strings.TrimSpace(en[i]), From: from[i], To: to[i]}
		if line.VI == "" && line.EN == "" {
			continue
		}
		a := farm.Address{Text: inBoth(line.VI, line.EN)}
		day := func(field, text string) time.Time {
			if text == "" {
				return time.Time{}
			}
			t, err := time.ParseInLocation(time.DateOnly, text, w.zone)
			if err != nil {
				v.Wrong[field+strconv.Itoa(line.N)] = w.t("problem.form.date")
			}
			return t.UTC()
		}
		a.ValidFrom, a.ValidTo = day("from", line.From), day("to", line.To)
		v.Addresses, rows = append(v.Addresses, line), append(rows, a)
	}
	return v, rows, true
}

// mark says a mistake at its field, where it is one of what stands at a path of the farm.
func (v *zoneView) mark(w *words, at string, m *farm.MistakeError) {
	path, here := strings.CutPrefix(m.Path, at+".")
	if !here {
		return
	}
	text, field, fieldEN := v.Name, "name", "name_en"
	if path != "name" {
		n, row := 0, strings.TrimSuffix(path, ".text")
		if k, err := fmt.Sscanf(row, "addresses[%d]", &n); err != nil || k != 1 || n >= len(v.Addresses) {
			return
		}
		text = inBoth(v.Addresses[n].VI, v.Addresses[n].EN)
		i := strconv.Itoa(n)
		field, fieldEN = "vi"+i, "en"+i
		switch {
		case errors.Is(m, farm.ErrEnds):
			field = "to" + i
		case errors.Is(m, farm.ErrOverlap):
			field = "from" + i
		}
	}
	if errors.Is(m, farm.ErrLong) && len(text.EN) > len(text.VI) {
		field = fieldEN
	}
	for is, key := range map[error]string{farm.ErrUnsaid: "zone.unsaid", farm.ErrLong: "zone.long", farm.ErrEnds: "zone.ends", farm.ErrOverlap: "zone.overlap"} {
		if errors.Is(m, is) {
			v.Wrong[field] = w.t(key)
		}
	}
}

// inBoth is a text in both languages; where no English was written the Vietnamese stands.
func inBoth(vi, en string) farm.Text {
	t := farm.Text{VI: strings.TrimSpace(vi), EN: strings.TrimSpace(en)}
	if t.EN == "" {
		t.EN = t.VI
	}
	return t
}

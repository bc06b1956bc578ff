package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/server/farm"
)

// zoneView is a zone, or the co-op itself: its name and its addresses.
type zoneView struct {
	frame
	Action    string
	Revision  string
	Name      farm.Text
	Addresses []addressLine // those there are, and an empty one
	Problem   string
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
	v := zoneView{Name: z.Name, Revision: rev}
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
	v := zoneView{Name: inBoth(r.PostForm.Get("name"), r.PostForm.Get("name_en"))}
	var rows []farm.Address
	readable := v.Name.VI != ""
	vi, en, from, to := r.PostForm["vi"], r.PostForm["en"], r.PostForm["from"], r.PostForm["to"]
	for i := range vi {
		if i >= len(en) || i >= len(from) || i >= len(to) {
			return s.missing(r, w, "missing.page", "")
		}
		line := addressLine{VI: strings.TrimSpace(vi[i]), EN: strings.TrimSpace(en[i]), From: from[i], To: to[i]}
		if line.VI == "" && line.EN == "" {
			continue
		}
		a := farm.Address{Text: inBoth(line.VI, line.EN)}
		for day, at := range map[string]*time.Time{line.From: &a.ValidFrom, line.To: &a.ValidTo} {
			if day == "" {
				continue
			}
			t, err := time.ParseInLocation(time.DateOnly, day, w.zone)
			readable = readable && err == nil
			*at = t.UTC()
		}
		v.Addresses, rows = append(v.Addresses, line), append(rows, a)
	}
	if !readable {
		v.Problem = w.t("zone.wrong")
		return s.zoneForm(r, w, v)
	}
	said, mistakes, err := s.edit(r, w, func(f *farm.Farm) bool {
		switch r.URL.Path {
		case coopPath:
			f.Coop.Name, f.Coop.Addresses = v.Name, rows
			return true
		case newZonePath:
			f.Zones = append(f.Zones, farm.Zone{ID: zoneID(f, v.Name.VI), Name: v.Name, Addresses: rows})
			return true
		}
		i := slices.IndexFunc(f.Zones, func(z farm.Zone) bool { return z.ID == r.PathValue("id") })
		if i >= 0 {
			f.Zones[i].Name, f.Zones[i].Addresses = v.Name, rows
		}
		return i >= 0
	})
	switch {
	case err != nil:
		return answer{}, err
	case len(mistakes) > 0:
		v.Problem = w.t("zone.wrong")
	case said != "":
		v.Problem = said
	default:
		return answer{status: http.StatusSeeOther, to: inLanguage("/land", w.lang), secret: true}, nil
	}
	return s.zoneForm(r, w, v)
}

// inBoth is a text in both languages; where no English was written the Vietnamese stands.
func inBoth(vi, en string) farm.Text {
	t := farm.Text{VI: strings.TrimSpace(vi), EN: strings.TrimSpace(en)}
	if t.EN == "" {
		t.EN = t.VI
	}
	return t
}

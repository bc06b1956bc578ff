package privacy_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aovuon/server/privacy"
)

func somebody() privacy.Person {
	return privacy.Person{ID: "p-0123456789", Name: "Nguyễn Thị Thử", Phone: "0900 123 456", Photo: "thu.jpg", Household: "Hộ Thử"}
}

func agreed(t *testing.T, field string) privacy.Consent {
	t.Helper()
	c, err := privacy.NewConsent("p-0123456789", field)
	if err != nil {
		t.Fatal(err)
	}
	c.Given = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	return c
}

func TestShow_OnlyWhatIsAgreedTo(t *testing.T) {
	p, name, phone := somebody(), agreed(t, "name"), agreed(t, "phone")
	withdrawn, others, elsewhere := name, name, name
	withdrawn.Withdrawn = name.Given.Add(time.Hour)
	others.Person = "p-9999999999"
	elsewhere.To = privacy.Staff
	erased := p
	erased.Erased = name.Given
	for what, c := range map[string]struct {
		p    privacy.Person
		have []privacy.Consent
		want privacy.Shown
	}{
		"silence":                 {p, nil, privacy.Shown{}},
		"name":                    {p, []privacy.Consent{name}, privacy.Shown{Name: p.Name}},
		"phone and name":          {p, []privacy.Consent{phone, name}, privacy.Shown{Name: p.Name, Phone: p.Phone}},
		"withdrawn":               {p, []privacy.Consent{withdrawn}, privacy.Shown{}},
		"withdrawn, given again":  {p, []privacy.Consent{withdrawn, name}, privacy.Shown{Name: p.Name}},
		"somebody else agreed":    {p, []privacy.Consent{others}, privacy.Shown{}},
		"to somebody else":        {p, []privacy.Consent{elsewhere}, privacy.Shown{}},
		"erased":                  {erased, []privacy.Consent{name}, privacy.Shown{}},
		"a field nobody consents": {p, []privacy.Consent{{Person: p.ID, Field: "person.photo", To: privacy.Everybody}}, privacy.Shown{}},
		"nothing to show":         {privacy.Person{ID: p.ID}, []privacy.Consent{name}, privacy.Shown{}},
	} {
		got, shown := privacy.Show(c.p, c.have, privacy.Everybody)
		if got != c.want || shown != (c.want != privacy.Shown{}) {
			t.Errorf("%s: %+v, %v", what, got, shown)
		}
	}
	if got, shown := privacy.Show(p, []privacy.Consent{name}, privacy.Staff); shown {
		t.Errorf("staff sees %+v", got)
	}
}

func TestFields_SayNothingOfAPersonToEverybodyWithoutConsent(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range privacy.Fields() {
		if seen[f.ID] {
			t.Errorf("%s is there twice", f.ID)
		}
		seen[f.ID] = true
		if f.Person && f.To == privacy.Everybody && !f.Consent {
			t.Errorf("%s is shown to everybody and nobody agreed", f.ID)
		}
		if f.Consent && !f.Person {
			t.Errorf("%s: nobody is there to agree", f.ID)
		}
	}
	for _, field := range []string{"photo", "person.photo", "", "lot", "person.places"} {
		if _, err := privacy.NewConsent("p-0123456789", field); err == nil {
			t.Errorf("consent to %q", field)
		}
	}
}

// The texts people agreed to stay what they were: a changed text is a new version.
func TestText_IsTheOneThatWasAgreedTo(t *testing.T) {
	for lang, want := range map[string]string{"vi": "b2e69f7eb26200ba", "en": "88752b033b971683"} {
		sum := sha256.Sum256([]byte(privacy.Text(lang)))
		if got := hex.EncodeToString(sum[:8]); got != want {
			t.Errorf("%s of version %s: %s, want %s: give a changed text the next version and keep the old one", lang, privacy.TextVersion, got, want)
		}
	}
}

func TestNewID_TellsNothing(t *testing.T) {
	form := regexp.MustCompile(`^p-[0-9a-z]{10}$`)
	seen := map[string]bool{}
	for range 1000 {
		id, err := privacy.NewID(rand.Reader)
		if err != nil || !form.MatchString(id) || seen[id] {
			t.Fatalf("%q, %v", id, err)
		}
		seen[id] = true
	}
	if _, err := privacy.NewID(bytes.NewReader(nil)); err == nil {
		t.Error("a pseudonym out of nothing")
	}
}

func TestPerson_Check(t *testing.T) {
	if err := somebody().Check(); err != nil {
		t.Error(err)
	}
	for what, change := range map[string]func(*privacy.Person){
		"no name": func(p *privacy.Person) { p.Name = " " }, "two lines": func(p *privacy.Person) { p.Household = "a\nb" },
		"long": func(p *privacy.Person) { p.Name = strings.Repeat("ế", 60) }, "letters in a number": func(p *privacy.Person) { p.Phone = "call 1" },
		"no text": func(p *privacy.Person) { p.Photo = "\xff" },
	} {
		p := somebody()
		change(&p)
		if err := p.Check(); err == nil {
			t.Errorf("%s passes", what)
		}
	}
}

func TestRoughen_KnownPlaces(t *testing.T) {
	for _, c := range []struct{ lat, lon, wantLat, wantLon float64 }{
		{20.7713, 106.2249, 20.775, 106.225},
		{20.7799999, 106.2200001, 20.775, 106.225},
		{-33.8568, 151.2153, -33.855, 151.215},
		{0, 0, 0.005, 0.005},
		{-0.0001, -0.0001, -0.005, -0.005},
		{90, 180, 89.995, 179.995},
		{-90, -180, -89.995, -179.995},
	} {
		got, ok := privacy.Roughen(c.lat, c.lon)
		if !ok || math.Abs(got.Lat()-c.wantLat) > 1e-9 || math.Abs(got.Lon()-c.wantLon) > 1e-9 {
			t.Errorf("%v, %v: %+v, %v", c.lat, c.lon, got, ok)
		}
	}
	for _, bad := range [][2]float64{{math.NaN(), 0}, {0, math.Inf(1)}, {90.1, 0}, {0, -180.1}} {
		if got, ok := privacy.Roughen(bad[0], bad[1]); ok {
			t.Errorf("%v: %+v", bad, got)
		}
	}
}

// Rounding once more tells nothing more, no point moves by more than 0.8 km, and a point has at least half a kilometre of company.
func TestRoughen_HidesWithinAKilometre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lat, lon := rapid.Float64Range(8.2, 23.4).Draw(t, "lat"), rapid.Float64Range(102.1, 109.5).Draw(t, "lon")
		r, ok := privacy.Roughen(lat, lon)
		again, _ := privacy.Roughen(r.Lat(), r.Lon())
		if !ok || again != r {
			t.Fatalf("%+v, then %+v", r, again)
		}
		north, east := (r.Lat()-lat)*111.2, (r.Lon()-lon)*111.2*math.Cos(lat*math.Pi/180)
		if math.Hypot(north, east) > 0.8 {
			t.Fatalf("moved %.3f km north, %.3f km east", north, east)
		}
		raw, err := json.Marshal(r)
		if err != nil || len(raw) > len(`{"lat":20.775,"lon":106.225}`) {
			t.Fatalf("%s tells more digits than it knows; %v", raw, err)
		}
	})
}

func TestRequest_Deadlines(t *testing.T) {
	zone := time.FixedZone("ICT", 7*60*60)
	for _, c := range []struct{ received, ack, due string }{
		{"2026-11-24 09:00", "2026-11-26 23:59", "2026-12-09 23:59"}, // Tuesday
		{"2026-11-26 23:30", "2026-11-30 23:59", "2026-12-11 23:59"}, // Thursday: Friday and Monday
		{"2026-11-27 09:00", "2026-12-01 23:59", "2026-12-12 23:59"}, // Friday
		{"2026-11-28 09:00", "2026-12-01 23:59", "2026-12-13 23:59"}, // Saturday
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", c.received, zone)
		if err != nil {
			t.Fatal(err)
		}
		q := privacy.Request{Received: at.UTC()}
		ack, due := q.AckDue(zone), q.Due(zone)
		if ack.Format("2006-01-02 15:04") != c.ack || due.Format("2006-01-02 15:04") != c.due {
			t.Errorf("%s: tell by %s, do by %s", c.received, ack, due)
		}
		told, done := q, q
		told.Acked = at
		done.Done = at
		for what, late := range map[string]struct {
			q    privacy.Request
			now  time.Time
			want bool
		}{
			"in time": {q, ack, false}, "not told": {q, ack.Add(time.Second), true}, "told": {told, ack.Add(time.Second), false},
			"not done": {told, due.Add(time.Second), true}, "done": {done, due.Add(time.Hour), false},
		} {
			if late.q.Late(late.now, zone) != late.want {
				t.Errorf("%s, %s: want late %v", c.received, what, late.want)
			}
		}
	}
	if _, err := privacy.ParseRequestKind("forget"); err == nil {
		t.Error("a kind of request that there is not")
	}
}

func TestEverything_IsWrittenWhole(t *testing.T) {
	p := somebody()
	p.Name = `Thử <script>alert(1)</script>`
	e := privacy.Everything{
		Made: time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC), Person: p, Consents: []privacy.Consent{agreed(t, "name")},
		Requests: []privacy.Request{{ID: 7, Person: p.ID, Kind: privacy.Access, Received: time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)}},
		Ledger: []privacy.Entry{
			{N: 3, Kind: "change", Subject: "person/" + p.ID, Actor: "operator", Time: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), Body: json.RawMessage(`{"a":"b"}`)}, {N: 4},
		},
	}
	var page, raw bytes.Buffer
	if err := e.WriteHTML(&page, time.FixedZone("ICT", 7*60*60)); err != nil {
		t.Fatal(err)
	}
	if err := e.WriteJSON(&raw); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{p.Phone, p.Household, p.Photo, "person.name", "24/11/2026 10:00", "đã xóa", "access", "&#34;a&#34;"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page.String(), "<script") {
		t.Error("script in the page")
	}
	var back privacy.Everything
	if err := json.Unmarshal(raw.Bytes(), &back); err != nil || back.Person.Phone != p.Phone || len(back.Ledger) != 2 || back.Requests[0].ID != 7 {
		t.Errorf("%+v, %v", back, err)
	}
}

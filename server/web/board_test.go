package web_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aovuon/gateway/measure"
	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/parttest"
	"aovuon/server/privacy"
	"aovuon/server/watch"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/rule"
)

// grow makes the farm of a whole commune of the made-up one: 50 ponds in three zones and 40 plots in two, each with its outline and its probes. Every
// eleventh pond lacks oxygen, every thirteenth has a probe in fault, one plot is silent.
func (s *sources) grow(t testing.TB) {
	t.Helper()
	f := &farm.Farm{Coop: s.farm.Coop, Limits: s.farm.Limits, Places: slices.Clone(s.farm.Places[:1]), Mounts: nil}
	first := f.Places[0]
	kept := map[farm.Kind][]string{} // what the diary and the lots speak of
	for _, p := range s.farm.Places {
		kept[p.Kind] = append(kept[p.Kind], p.Code)
	}
	var values []watch.Value
	say := func(p farm.Place, gateway, sensor string, qs ...measure.Quantity) {
		f.Mounts = append(f.Mounts, farm.Mount{Gateway: gateway, Sensor: sensor, Place: p.Code, Measures: qs})
		for _, q := range qs {
			sr := history.Series{Place: p.Code, Quantity: q, Gateway: gateway, Sensor: sensor}
			v, ok := water(sr, now())
			if !ok {
				v = 7.4
			}
			values = append(values, watch.Value{Series: sr, Time: now().Add(-time.Duration(40+len(values)%90) * time.Second).UTC(), Value: v})
		}
	}
	zone := func(id, name string) {
		f.Zones = append(f.Zones, farm.Zone{ID: id, Name: farm.Text{VI: name, EN: name}})
	}
	lay := func(i, across int, lat, lon, high, wide float64) farm.Outline {
		north, west := lat-float64(i/across)*high*1.12, lon+float64(i%across)*wide*1.1
		return farm.Outline{corner(t, north, west), corner(t, north+high*0.08, west+wide), corner(t, north-high*0.92, west+wide), corner(t, north-high, west)}
	}
	for k, name := range []string{"Khu ao Phú Khê", "Khu ao Trại Mới", "Khu ao Đầm Sen"} {
		zone(fmt.Sprint("ao-", k), name)
	}
	for k, name := range []string{"Đồng khoai vụ đông", "Vườn dược liệu"} {
		zone(fmt.Sprint("dong-", k), name)
	}
	f.Places = f.Places[:0]
	species := []farm.Place{{Species: "Oreochromis niloticus", Holds: farm.Text{VI: "cá rô phi", EN: "tilapia"}}, {Species: "Cyprinus carpio", Holds: farm.Text{VI: "cá chép", EN: "common carp"}}, {Species: "Ctenopharyngodon idella", Holds: farm.Text{VI: "cá trắm cỏ", EN: "grass carp"}}}
	for i := range 50 {
		p := first
		p.Code, p.Name = placeCode(t, i), fmt.Sprint("ao", i+1)
		p.Title = farm.Text{VI: fmt.Sprint("Ao ", i+1), EN: fmt.Sprint("Pond ", i+1)}
		p.Zone, p.AreaM2, p.Species, p.Holds = fmt.Sprint("ao-", i*3/50), float64(3600+i*70), species[i%3].Species, species[i%3].Holds
		p.Outline = lay(i%17, 5, 20.769-float64(i*3/50)*0.02, 106.238, 0.0007, 0.0006)
		if i < len(kept[farm.Pond]) {
			p.Code = kept[farm.Pond][i]
		}
		f.Places = append(f.Places, p)
		sensor := fmt.Sprint("ao", i+1)
		say(p, fmt.Sprint("gw-ao-", i/5), sensor+"-do", measure.WaterTemperature, measure.DissolvedOxygen, measure.OxygenSaturation)
		say(p, fmt.Sprint("gw-ao-", i/5), sensor+"-ph", measure.PH)
		if i%4 == 0 {
			say(p, fmt.Sprint("gw-ao-", i/5), sensor+"-quat", measure.AeratorCommand, measure.AeratorRunning, measure.Current)
		}
	}
	for i := range 40 {
		p := first
		p.Code, p.Name, p.Kind = placeCode(t, 50+i), fmt.Sprint("khoai", i+1), farm.Plot
		p.Title = farm.Text{VI: fmt.Sprint("Ruộng khoai ", i+1), EN: fmt.Sprint("Potato plot ", i+1)}
		p.Zone, p.AreaM2, p.Profile, p.Species, p.Holds = fmt.Sprint("dong-", i/25), float64(1500+i*30), "", "Solanum tuberosum", farm.Text{VI: "khoai tây", EN: "potato"}
		if i < len(kept[farm.Plot]) {
			p.Code = kept[farm.Plot][i]
		}
		p.Outline = lay(i%25, 6, 20.70-float64(i/25)*0.02, 106.25, 0.0004, 0.0009)
		f.Places = append(f.Places, p)
		sensor := fmt.Sprint("khoai", i+1)
		say(p, fmt.Sprint("gw-vuon-", i/8), sensor+"-dat", measure.SoilMoisture, measure.SoilTemperature, measure.SoilConductivity)
		if i%10 == 0 {
			say(p, fmt.Sprint("gw-vuon-", i/8), sensor+"-kk", measure.AirTemperature, measure.RelativeHumidity)
		}
	}
	for i := range values {
		v := &values[i]
		var n int
		if _, err := fmt.Sscanf(v.Sensor, "ao%d-do", &n); err != nil || v.Quantity != measure.DissolvedOxygen {
			if v.Sensor == "khoai7-dat" {
				v.Time = now().Add(-4 * time.Hour).UTC()
			}
			continue
		}
		switch {
		case n%11 == 0:
			v.Value = 2.1 + float64(n)/40
		case n%13 == 0:
			v.Quality, v.Reason, v.Value = measure.Fault, measure.NoResponse, 0
		case n%7 == 0:
			v.Quality = measure.Uncalibrated
			v.Value = max(v.Value, 4.6)
		default:
			v.Value = max(v.Value, 4.6)
		}
	}
	*s.farm = *f
	s.live = watch.NewLive()
	s.live.Update(values)
}

func corner(t testing.TB, lat, lon float64) privacy.Point {
	t.Helper()
	p, err := privacy.NewPoint(lat, lon)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// placeCode is the code of the i-th place, always the same.
func placeCode(t testing.TB, i int) string {
	t.Helper()
	code, err := farm.NewCode(rand.NewChaCha8([32]byte{byte(i), 7}))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// commune is a town with the farm of a whole commune, where alarms are open and rules gave advice.
func commune(t testing.TB) *town {
	t.Helper()
	s := newSources(t)
	s.grow(t)
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := newTownOf(t, s, l, "http://127.0.0.1", false)
	at := func(i int) string { return s.farm.Places[i].Code }
	s.alarms = []alarm.Alarm{
		{
			ID: "01JD000000000000000000000A", Key: alarm.Key{Place: at(10), Topic: string(measure.DissolvedOxygen)}, State: alarm.Firing, Level: rule.Crit,
			Began: now().Add(-40 * time.Minute), Fired: now().Add(-37 * time.Minute), Decision: rule.Decision{Why: []rule.Reason{rule.Because("outdated", rule.At(now().Add(-time.Hour)))}},
		},
		{
			ID: "01JD000000000000000000000B", Key: alarm.Key{Place: at(12), Topic: string(measure.DissolvedOxygen)}, State: alarm.NoData, Level: rule.Warn,
			Began: now().Add(-3 * time.Hour), Fired: now().Add(-3 * time.Hour), Acked: now().Add(-time.Hour),
		},
		{ID: "01JD000000000000000000000C", Key: alarm.Key{Place: "gateway gw-ao-3", Topic: string(measure.LinkUp)}, State: alarm.NoData, Level: rule.Warn, Began: now().Add(-20 * time.Minute)},
	}
	s.advice.Put("made-up", []rule.Decision{
		{Rule: "made-up", Place: at(2), Topic: string(measure.WaterTemperature), Verdict: rule.Notice, Why: []rule.Reason{rule.Because("outdated", rule.At(now()))}},
		{Rule: "made-up", Place: at(3), Topic: string(measure.PH), Verdict: rule.Unknown, Why: []rule.Reason{rule.Because("outdated", rule.At(now()))}},
		{Rule: "made-up", Place: at(60), Topic: string(measure.SoilMoisture), Verdict: rule.Warn, Why: []rule.Reason{rule.Because("outdated", rule.At(now()))}},
	})
	return w
}

func TestBrowser_BoardScreens(t *testing.T) {
	axe := parttest.Axe(t)
	w := commune(t)
	b := w.signedIn(browser(t), account.Technician)
	for name, path := range map[string]string{"cards": "/", "map": "/?view=map", "table": "/?view=table", "lost": "/?state=lost&zone=ao-0", "none": "/?q=kh%C3%B4ng+c%C3%B3", "en": "/?view=map&lang=en"} {
		for screen, view := range map[string]step{"360": phone(), "768": chromedp.EmulateViewport(768, 1024), "1440": desk()} {
			visit(b, view, w.srv.URL+path)
			if wide := ask1(b, "width", evaluate[bool](`document.documentElement.scrollWidth <= innerWidth`)); !wide {
				t.Errorf("%s at %s is wider than the screen", name, screen)
			}
			if complaints := axe(b.ctx); complaints != "" {
				t.Errorf("%s at %s: %s", name, screen, complaints)
			}
			shoot(b, "board-"+name+"-"+screen)
			if os.Getenv("AOVUON_SCREENSHOTS") != "" && name != "en" && name != "none" {
				ask1(b, "scroll", evaluate[int](`(document.querySelector(".looks").scrollIntoView({ behavior: "instant" }), 1)`))
				shoot(b, "board-"+name+"-"+screen+"-down")
			}
		}
	}
}

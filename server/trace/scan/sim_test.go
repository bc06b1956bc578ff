package scan_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"aovuon/server/trace"
	"aovuon/server/trace/scan"
)

// market is simulated traffic: what people who are honest do with packs, and what a copied label brings. Every share in it is an assumption
// written down here; the figures it gives are printed and stand in README.md.
type market struct {
	r     *rand.Rand
	known float64 // share of scans whose province is known
	wrong float64 // of those, share with a wrong one
	start time.Time
	next  uint64
}

// seen gathers the scans of one code. Every browser is another Client each day, as the service makes them.
type seen struct {
	m    *market
	rows []scan.Row
}

func (m *market) person() uint64 { m.next++; return m.next }

// look is one scan by somebody who is in a province.
func (s *seen) look(who uint64, at time.Time, province string) {
	var c scan.Client
	binary.BigEndian.PutUint64(c[:], who)
	binary.BigEndian.PutUint32(c[8:], uint32(at.Unix()/86400))
	if s.m.r.Float64() >= s.m.known {
		province = ""
	} else if s.m.r.Float64() < s.m.wrong {
		province = s.m.anywhere()
	}
	s.rows = append(s.rows, scan.Row{Code: "x", At: at, Client: c, Province: province, State: trace.ItemShipped})
}

func (m *market) anywhere() string { all := scan.Provinces(); return all[m.r.IntN(len(all))].Code }

// near is the province of most buyers: the co-op's, its neighbours, Hà Nội.
func (m *market) near() string {
	return []string{"31", "31", "31", "33", "01", "01", "24", "22"}[m.r.IntN(8)]
}

func (m *market) poisson(mean float64) (n int) {
	for p := m.r.Float64(); p > math.Exp(-mean); p *= m.r.Float64() {
		n++
	}
	return n
}

func (m *market) after(at time.Time, mean time.Duration) time.Time {
	return at.Add(time.Duration(m.r.ExpFloat64() * float64(mean)))
}

// family is a buyer at home: a look, some more by others of the house within hours, and now and then another day.
func (s *seen) family(at time.Time, province string) {
	buyer := s.m.person()
	s.look(buyer, at, province)
	if s.m.r.Float64() < 0.25 {
		for range 1 + s.m.r.IntN(3) {
			s.look(s.m.person(), s.m.after(at, 3*time.Hour), province)
		}
	}
	for range s.m.poisson(0.4) {
		s.look(buyer, s.m.after(at.Add(12*time.Hour), 48*time.Hour), province)
	}
}

// honest is the life of one pack. It returns when it was sold.
func (m *market) honest() (s *seen, sold time.Time) {
	s = &seen{m: m}
	at, province := m.after(m.start, 48*time.Hour), m.near()
	if m.r.Float64() < 0.10 { // a reseller looks at a pack of the delivery, sometimes with two telephones
		for range 1 + m.r.IntN(2) {
			s.look(m.person(), m.after(at, time.Hour), province)
		}
	}
	for range m.poisson(0.3) { // who stands before the shelf and buys another
		s.look(m.person(), m.after(at, 24*time.Hour), province)
	}
	sold = m.after(at.Add(time.Hour), 36*time.Hour)
	if m.r.Float64() < 0.5 {
		s.family(m.after(sold, 4*time.Hour), province)
	}
	switch luck := m.r.Float64(); {
	case luck < 0.05: // given to somebody elsewhere, who gets it by bus or by air as fast as it goes
		to := m.anywhere()
		arrives := sold.Add(scan.Least(province, to) + time.Duration((1+m.r.Float64()*20)*float64(time.Hour)))
		s.family(arrives, to)
	case luck < 0.06: // the link is sent to relatives and friends
		when := m.after(sold, 6*time.Hour)
		for range 1 + m.r.IntN(6) {
			where := province
			if m.r.Float64() < 0.4 {
				where = m.anywhere()
			}
			s.look(m.person(), m.after(when, 5*time.Hour), where)
		}
	case luck < 0.0605: // shown to a school class or a visiting group
		when := m.after(at, 24*time.Hour)
		for range 8 + m.r.IntN(20) {
			s.look(m.person(), m.after(when, 10*time.Minute), province)
		}
	}
	return s, sold
}

// copied is a pack whose label was photographed and put on so many others, sold within days in so many provinces; scanned is how many of
// these somebody looks at.
func (m *market) copied(copies, days, provinces int) (s *seen, sold time.Time, scanned int) {
	s, sold = m.honest()
	where := []string{m.near()}
	for len(where) < provinces {
		where = append(where, m.anywhere())
	}
	for range copies {
		if m.r.Float64() < 0.3 {
			scanned++
			s.family(sold.Add(time.Duration(m.r.Float64()*float64(days)*24*float64(time.Hour))), where[m.r.IntN(len(where))])
		}
	}
	return s, sold, scanned
}

// found replays scans as the service judges them, one by one, and returns the rules that were ever broken and after how many scans the first
// was.
func found(l scan.Limits, sub scan.Subject, rows []scan.Row, once bool) (rules map[scan.Rule]bool, after int) {
	slices.SortFunc(rows, func(a, b scan.Row) int { return a.At.Compare(b.At) })
	rules = map[scan.Rule]bool{}
	clients := map[scan.Client]bool{}
	for i := range rows {
		clients[rows[i].Client] = true
		if sub.Kind == scan.OfLot && i%20 != 19 && i < len(rows)-1 { // one by one would take long, and tell no more
			continue
		}
		window := rows[max(0, i-399) : i+1]
		for _, f := range l.Judge(sub, window, len(clients), time.Time{}, rows[i].At) {
			if len(rules) == 0 {
				after = i + 1
			}
			rules[f.Rule] = true
		}
		if once && len(rules) > 0 {
			break
		}
	}
	return rules, after
}

// item judges a pack; in one of four somebody said that it was sold.
func item(l scan.Limits, n int, s *seen, sold time.Time, once bool) (map[scan.Rule]bool, int) {
	sub := scan.Subject{Kind: scan.OfItem, State: trace.ItemShipped}
	if n%4 == 0 {
		sub.Sold = sold
	}
	return found(l, sub, s.rows, once)
}

func TestSimulatedTraffic(t *testing.T) {
	packs, copies := 20_000, 200
	if testing.Short() {
		packs, copies = 3000, 50
	}
	l := scan.Defaults()
	for _, known := range []float64{0, 0.1, 0.3, 0.6} {
		m := &market{r: rand.New(rand.NewPCG(20261126, 7)), known: known, wrong: 0.02, start: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
		scanned, alarms, by := 0, 0, map[scan.Rule]int{}
		for n := range packs {
			s, sold := m.honest()
			if len(s.rows) > 0 {
				scanned++
			}
			rules, _ := item(l, n, s, sold, false)
			if len(rules) > 0 {
				alarms++
			}
			for r := range rules {
				by[r]++
			}
		}
		false1 := float64(alarms) / float64(scanned)
		t.Logf("provinces known of %3.0f %%: honest: %d packs, %d scanned, false alarms %d = %.2f %% of those scanned %v", known*100, packs, scanned, alarms, 100*false1, by)
		if false1 > 0.005 {
			t.Errorf("provinces known of %.0f %%: %.2f %% of honest packs are called unusual", known*100, 100*false1)
		}
		for _, c := range []struct {
			copies, days, provinces int
			least                   float64
		}{{20, 14, 1, 0.6}, {50, 14, 1, 0.95}, {50, 14, 3, 0.95}, {100, 30, 1, 0.95}, {200, 30, 3, 0.99}, {500, 30, 5, 0.99}} {
			hits, scans := 0, []int{}
			for n := range copies {
				s, sold, _ := m.copied(c.copies, c.days, c.provinces)
				if rules, after := item(l, n, s, sold, true); len(rules) > 0 {
					hits, scans = hits+1, append(scans, after)
				}
			}
			rate, median := float64(hits)/float64(copies), 0
			if slices.Sort(scans); len(scans) > 0 {
				median = scans[len(scans)/2]
			}
			t.Logf("   label copied %3d times, %2d days, %d province(s): found %5.1f %%, after %d scans (median)", c.copies, c.days, c.provinces, 100*rate, median)
			if rate < c.least {
				t.Errorf("a label copied %d times is found in %.1f %%, want %.0f %%", c.copies, 100*rate, 100*c.least)
			}
		}
	}
}

func TestSimulatedTraffic_OfALot(t *testing.T) {
	l := scan.Defaults()
	m := &market{r: rand.New(rand.NewPCG(20261126, 8)), known: 0.3, wrong: 0.02, start: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	lots, alarms, out := 100, 0, ""
	run := func(units, times int) bool {
		s := &seen{m: m}
		for range units * times {
			one, _ := m.honest()
			s.rows = append(s.rows, one.rows...)
		}
		rules, _ := found(l, scan.Subject{Kind: scan.OfLot, Units: units}, s.rows, true)
		return len(rules) > 0
	}
	for range lots {
		if run(20+m.r.IntN(100), 1) {
			alarms++
		}
	}
	for _, times := range []int{2, 3, 5} {
		hits := 0
		for range 40 {
			if run(20+m.r.IntN(100), times) {
				hits++
			}
		}
		out += fmt.Sprintf("; on %d times as many packs: found %.0f %%", times, float64(hits)*100/40)
		if times == 5 && hits < 40 {
			t.Errorf("a lot's label on five times its packs is found %d of 40 times", hits)
		}
	}
	t.Logf("lot codes: false alarms %d of %d lots%s", alarms, lots, out)
	if alarms > 2 {
		t.Errorf("%d of %d honest lots are called unusual", alarms, lots)
	}
}

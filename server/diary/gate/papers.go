package gate

import (
	"strings"
	"time"

	"aovuon/server/calibration"
	"aovuon/server/diary"
	"aovuon/server/farm"
)

// claims judges what a season aims at: the scheme's name may be used only inside the scope and dates of a certificate on record.
func (j *judge) claims(s season) {
	way := s.rec.Values.Text("way")
	if way != ClaimVietGAP && way != ClaimOrganic && way != ClaimGACP {
		return
	}
	for _, c := range farm.Covering(j.certs, s.rec.Values.Text("product"), []string{s.place.Code}, j.Now) {
		if c.Scheme == way {
			return
		}
	}
	j.find(Finding{Rule: CertMissing, Level: Block, Claim: way, Place: s.place.Code, Cycle: s.id, Record: about(farm.Cycle, s.id), Args: []any{way}})
}

// How many days before its end a certificate is told of: renewing takes about two months.
const (
	endingSoon = 60
	endingNow  = 30
	endingLast = 7
)

// certificates judges how long certificates still hold; one that another follows without a gap is nobody's worry.
func (j *judge) certificates() {
	for _, r := range j.Records {
		if r.Kind != farm.Certificate || r.Retired {
			continue
		}
		c := farm.ScopeOf(r)
		if c.To.IsZero() || j.followed(c) {
			continue
		}
		last := c.To.AddDate(0, 0, -1)
		left := daysBetween(j.today, last)
		f := Finding{Rule: CertEnding, Level: Note, Record: about(farm.Certificate, r.ID), Args: []any{c.Scheme, r.Values.Text("number"), last, left}}
		switch {
		case left < 0:
			f.Rule, f.Level, f.Args = CertOver, Warning, f.Args[:3]
		case left > endingSoon:
			continue
		case left <= endingNow:
			f.Level = Warning
		}
		j.find(f)
	}
}

// Urgent reports whether a certificate ends within the last week.
func (f Finding) Urgent() bool {
	left, ok := 0, false
	if f.Rule == CertEnding && len(f.Args) == 4 {
		left, ok = f.Args[3].(int)
	}
	return f.Level == Block || f.Rule == CertOver || ok && left <= endingLast
}

// followed reports whether others of the scheme cover all that c does from the day after its end.
func (j *judge) followed(c farm.CertificateScope) bool {
	places := c.Places
	if len(places) == 0 {
		places = []string{""}
	}
	for _, product := range c.Products {
		for _, place := range places {
			covered := false
			for _, o := range j.certs {
				covered = covered || o.ID != c.ID && o.Scheme == c.Scheme && o.Covers(product, place, c.To)
			}
			if !covered {
				return false
			}
		}
	}
	return len(c.Products) > 0
}

// stockingGrace is how many days after a season's first day its stocking may still be unwritten.
const stockingGrace = 3

// papers judges what a pond's season must have on paper: water tests, and where its fish are from.
func (j *judge) papers(s season) {
	if s.place.Kind != farm.Pond || s.id == "" || s.branch != farm.Fish {
		return
	}
	over := !s.end.IsZero() && s.end.Before(j.today)
	stocked := false
	for _, e := range j.entries(s) {
		if e.Kind != diary.Stocking || !s.belongs(j, e) {
			continue
		}
		stocked = true
		if strings.TrimSpace(e.Values.Text("quarantine_no")) == "" {
			j.find(Finding{Rule: Quarantine, Level: Warning, Place: s.place.Code, Cycle: s.id, Cause: e.First.ID, Args: []any{e.day}, Kind: diary.Stocking})
		}
	}
	if !stocked && j.daysSince(s.begin) > stockingGrace {
		j.find(Finding{Rule: StockingNone, Level: Warning, Place: s.place.Code, Cycle: s.id, Record: about(farm.Cycle, s.id), Args: []any{s.begin}, Kind: diary.Stocking})
	}
	if every := j.Settings.WaterTestDays; every > 0 && !over {
		j.waterTest(s, every)
	}
}

func (j *judge) waterTest(s season, every int) {
	e, at := j.last(s, diary.WaterTest)
	f := Finding{Rule: WaterTestNone, Level: Warning, Place: s.place.Code, Cycle: s.id, Record: about(farm.Cycle, s.id), Kind: diary.WaterTest}
	from := s.begin
	if !at.IsZero() {
		f.Rule, f.Cause, from = WaterTestDue, e.First.ID, e.day
	}
	if days := j.daysSince(from); days > every {
		f.Args = []any{days, every}
		j.find(f)
	}
}

// calibrations judges the probes of a place by what their newest calibration is worth.
func (j *judge) calibrations(p farm.Place) {
	for _, c := range j.Calibrations {
		if c.Place != p.Code {
			continue
		}
		switch c.Standing {
		case calibration.Overdue:
			j.find(Finding{Rule: CalibrationDue, Level: Warning, Place: p.Code, Args: []any{c.Sensor, farm.MidnightIn(c.Due, j.zone)}})
		case calibration.Unfit:
			j.find(Finding{Rule: CalibrationBad, Level: Warning, Place: p.Code, Args: []any{c.Sensor}})
		case calibration.InForce, calibration.Undated:
		}
	}
}

// stock judges inputs: more used than came in, used after its last day, used while its registration did not hold.
func (j *judge) stock() {
	var inputs []farm.Record
	for _, r := range j.Records {
		if r.Kind == farm.Input {
			inputs = append(inputs, r)
		}
	}
	inventory := diary.Stock(j.Entries, inputs)
	if j.Place == "" {
		j.short(inventory)
	}
	for _, p := range j.Farm.Places {
		if j.Place != "" && j.Place != p.Code {
			continue
		}
		for _, s := range j.seasons(p) {
			j.outOfDate(s, inventory)
		}
	}
}

func (j *judge) short(v diary.Inventory) {
	said := map[string]bool{}
	for _, b := range v.Balances {
		r := j.inputs[b.Input]
		if b.Lot != "" && b.Short() {
			j.find(Finding{Rule: StockShort, Level: Warning, Cause: b.LastUse, Record: about(farm.Input, b.Input), Args: []any{r.Name(), b.Lot, -b.Amount, b.Unit}, Kind: diary.Receipt})
			said[b.Input] = true
		}
	}
	for _, b := range v.Balances {
		if total, isShort := v.Total(b.Input); isShort && !said[b.Input] {
			said[b.Input] = true
			j.find(Finding{Rule: StockShort, Level: Warning, Cause: b.LastUse, Record: about(farm.Input, b.Input), Args: []any{j.inputs[b.Input].Name(), "", -total, b.Unit}, Kind: diary.Receipt})
		}
	}
	for _, p := range v.Problems {
		if p.Code == diary.StockUnit {
			j.find(Finding{Rule: StockUnknown, Level: Note, Cause: p.Entry, Record: about(farm.Input, p.Input), Args: []any{j.inputName(p.Input)}})
		}
	}
}

// outOfDate judges what was used in a season after its maker's last day, or on a day its registration did not hold.
func (j *judge) outOfDate(s season, v diary.Inventory) {
	for _, e := range j.entries(s) {
		r, uses := e.used()
		if !uses || !s.belongs(j, e) {
			continue
		}
		day := e.day
		date := day.Format(time.DateOnly)
		lot := e.Values.Text(diary.KeyLot)
		if last := v.Expiry(r.ID, lot); lot != "" && last != "" && date > last {
			end, err := time.ParseInLocation(time.DateOnly, last, j.zone)
			if err == nil {
				j.newest(Finding{Rule: InputExpired, Level: Warning, Place: s.place.Code, Cycle: s.id, Cause: e.First.ID, Record: about(farm.Input, r.ID), Args: []any{r.Name(), lot, end, day}}, r.ID, lot)
			}
		}
		from, to := r.Values.Text("valid_from"), r.Values.Text("valid_to")
		if (from != "" && date < from) || (to != "" && date > to) {
			j.newest(Finding{Rule: NotRegistered, Level: Warning, Place: s.place.Code, Cycle: s.id, Cause: e.First.ID, Record: about(farm.Input, r.ID), Args: []any{r.Name(), day}}, r.ID)
		}
	}
}

package blight

import (
	"cmp"
	"slices"
	"time"

	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

// EmergenceDays is how long after planting potato is taken to stand above the ground: a choice of this project. Before it there is no leaf to
// infect, so nothing is added up.
const EmergenceDays = 14

// SeenDays is how long a sighting of late blight on the plot counts as news.
const SeenDays = 7

// Season is a potato plot with what is known of it.
type Season struct {
	Place     farm.Place
	Cycle     string // id of the record; "": no season is open
	Name      string // of the season
	Variety   string
	Class     Class
	ClassSaid bool      // somebody entered Class; else it is Usual
	Planted   time.Time // 00:00; zero: the diary does not say
	Begin     time.Time // 00:00 of the season's first day
	Harvested time.Time // the last harvest of it; zero: it stands
	Hours     Hours
	Lenders   []farm.Text // places whose probes stood in where its own did not measure
	Probes    bool        // there is any probe, of its own or in its zone
	Sprays    []Spray     // oldest first
	Rain      map[string]float64
	Seen      []Sighting // oldest first
	Zone      *time.Location
}

// Spray is an entry of the diary.
type Spray struct {
	Entry   string // id
	Day     time.Time
	Product string
	Counts  bool // against late blight; Why says why not
	Why     string
}

// Sighting is late blight that somebody saw on the plot.
type Sighting struct {
	Entry string
	Day   time.Time
	Share float64 // % of the plants; 0: nobody said
	Score float64 // 1 to 9; 0: nobody said
}

// Emerged returns 00:00 of the day from which units are added up, and whether it is known by an entry of planting.
func (s Season) Emerged() (day time.Time, byEntry bool) {
	if !s.Planted.IsZero() {
		return s.Planted.AddDate(0, 0, EmergenceDays), true
	}
	return s.Begin.AddDate(0, 0, EmergenceDays), false
}

// Day is what the indices make of one local day.
type Day struct {
	Date     time.Time // 00:00
	Over     bool      // the calendar day is over; the rest is zero where it is not
	Known    bool      // at least LeastHours were measured
	Measured int       // hours
	Lent     int       // of them by another place's probe
	Lowest   float64   // hourly mean, °C
	Mean     float64   // °C
	Humid    int       // hours of at least 90 %
	Hutton   Tri
	Smith    Tri
	DSV      int // severity value by the hours above 90 % (Wisconsin)
	DSVMSU   int // by the hours of at least 80 % (Michigan)
	Alarm    Tri // Hutton: this day and the one before it
	Period   Period
	Rain     float64
	RainSaid bool
	Hyre     Tri // rain-favourable

	Noon       bool // the hours from noon of the day before to noon of this one are over
	NoonKnown  bool
	Units      Span // blight units of them; of days since the last spray they are added up
	Fungicide  Span // weathering of the last spray on this day
	SinceSpray int  // days since the last spray; 0: there was none, or on the day itself
	Sprayed    bool // against late blight on this day

	smithMiss bool
}

// Plot is what was found out about a season.
type Plot struct {
	Season
	At                        time.Time
	Verdict                   rule.Verdict
	Days                      []Day // from emergence on, oldest first
	Last                      *Spray
	SinceLast                 int  // days
	Units                     Span // since the last spray, or since emergence
	Fungicide                 Span
	UnitLimit, FungicideLimit int
	Due                       Tri
	UnknownNoons, UnsaidRain  int // days since the last spray of which units, or rain, are unknown
	Alarm                     Tri // Hutton, newest two days that are over
	Total, TotalMSU           int // severity values since emergence: at least so many
	UnknownDays               int // of them unknown
	Risk                      Risk
	RiskSure                  bool // no day of the last 14 is unknown
	RainDays                  int  // rain-favourable days since emergence: at least so many
	Week                      WeekMatrix
	Why, Do                   []rule.Reason
}

// WeekMatrix is the Metos matrix over the last 7 days that are over.
type WeekMatrix struct {
	Rain, DSV int
	Known     bool
	Schedule  Schedule
}

// Assess judges a season as of a moment.
func Assess(s Season, at time.Time) Plot {
	p := Plot{Season: s, At: at}
	p.UnitLimit, p.FungicideLimit = s.Class.Limits()
	from, _ := s.Emerged()
	today := farm.MidnightIn(at, s.Zone)
	slices.SortStableFunc(p.Sprays, func(a, b Spray) int { return cmp.Compare(a.Day.Unix(), b.Day.Unix()) })
	for _, x := range p.Sprays {
		if x.Counts && !x.Day.After(today) {
			p.Last = &x
		}
	}
	if s.Cycle == "" || !s.Harvested.IsZero() {
		from = today.AddDate(0, 0, 1) // there is nothing to work out
	}
	for day := from; !day.After(today); day = day.AddDate(0, 0, 1) {
		p.Days = append(p.Days, s.day(day, at))
	}
	p.pairs()
	p.sums(today)
	p.decide(from, today)
	return p
}

// daysBetween counts calendar days.
func daysBetween(from, to time.Time) int {
	y, m, d := from.Date()
	a := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	y, m, d = to.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Sub(a).Hours() / 24)
}

// day works out what one day says by itself.
func (s Season) day(date, at time.Time) Day {
	d := Day{Date: date, Over: !date.AddDate(0, 0, 1).After(at), Noon: !date.Add(12 * time.Hour).After(at), Hutton: Unknown, Smith: Unknown, Alarm: Unknown, Hyre: Unknown, Period: UnknownSmith}
	d.Rain, d.RainSaid = s.rain(date)
	if d.Over {
		s.calendar(&d)
	}
	if d.Noon {
		noon, _ := s.Hours.window(date.Add(-12 * time.Hour))
		d.Units, d.NoonKnown = s.Class.DayUnits(noon)
	}
	return d
}

// calendar fills what is said of the hours from midnight to midnight.
func (s Season) calendar(d *Day) {
	hours, n := s.Hours.window(d.Date)
	d.Measured, d.Known = n, n >= LeastHours
	var sum, wetter, damp float64 // sums of temperatures: of all, of those above 90 %, of those of at least 80 %
	var wet, soft int
	first := true
	for _, h := range hours {
		if h == nil {
			continue
		}
		if h.By != s.Place.Code {
			d.Lent++
		}
		sum += h.T
		if first || h.T < d.Lowest {
			d.Lowest, first = h.T, false
		}
		if h.humid() {
			d.Humid++
		}
		if exact(h.RH) > 90 {
			wet, wetter = wet+1, wetter+h.T
		}
		if exact(h.RH) >= 80 {
			soft, damp = soft+1, damp+h.T
		}
	}
	if !d.Known {
		return
	}
	d.Mean = sum / float64(n)
	d.Hutton, d.Smith, d.smithMiss = tri(HuttonDay(d.Lowest, d.Humid)), tri(SmithDay(d.Lowest, d.Humid)), smithMiss(d.Lowest, d.Humid)
	if wet > 0 {
		d.DSV = DSV(wetter/float64(wet), wet)
	}
	if soft > 0 {
		d.DSVMSU = DSV(damp/float64(soft), soft)
	}
}

// rain returns what the diary says of a day's rain.
func (s Season) rain(day time.Time) (mm float64, said bool) {
	mm, said = s.Rain[day.Format(time.DateOnly)]
	return mm, said
}

// pairs answers what needs more than one day: rows of days, means of five, rain of ten.
func (p *Plot) pairs() {
	for i := range p.Days {
		d := &p.Days[i]
		if !d.Over {
			continue
		}
		if i > 0 {
			d.Alarm, d.Period = InARow(p.Days[i-1].Hutton, d.Hutton), Smith(p.Days[i-1], *d)
		} else if d.Hutton == No {
			d.Alarm = No
		}
		d.Hyre = p.hyre(i)
	}
}

// hyre answers whether a day is rain-favourable. Rain that nobody wrote down may have fallen, so that too little is no answer.
func (p *Plot) hyre(i int) Tri {
	if i < 4 {
		return Unknown
	}
	mean := 0.0
	for _, d := range p.Days[i-4 : i+1] {
		if !d.Known {
			return Unknown
		}
		mean += d.Mean / 5
	}
	rain, missing := 0.0, false
	for back := range 10 {
		mm, said := p.rain(p.Days[i].Date.AddDate(0, 0, -back))
		rain, missing = rain+mm, missing || !said
	}
	lowest := p.Days[i].Lowest
	switch {
	case RainFavourable(mean, rain, lowest):
		return Yes
	case missing && RainFavourable(mean, 30, lowest):
		return Unknown
	}
	return No
}

// sums adds up what counts since the last spray, and since emergence.
func (p *Plot) sums(today time.Time) {
	if p.Last != nil {
		p.SinceLast = daysBetween(p.Last.Day, today)
	}
	sprayed, last := map[string]bool{}, time.Time{}
	for _, x := range p.Sprays {
		if x.Counts {
			sprayed[x.Day.Format(time.DateOnly)] = true
		}
		if x.Counts && len(p.Days) > 0 && x.Day.Before(p.Days[0].Date) {
			last = x.Day
		}
	}
	for i := range p.Days {
		d := &p.Days[i]
		if !last.IsZero() {
			d.SinceSpray = daysBetween(last, d.Date)
		}
		if d.Noon && p.since(d.Date) {
			p.Units = p.Units.plus(d.Units)
			if !d.NoonKnown {
				p.UnknownNoons++
			}
		}
		if d.Over && d.SinceSpray > 0 {
			d.Fungicide = weathered(d.SinceSpray)
			if d.RainSaid {
				u := FungicideUnits(d.SinceSpray, d.Rain)
				d.Fungicide = Span{u, u}
			}
			if p.since(d.Date) {
				p.Fungicide = p.Fungicide.plus(d.Fungicide)
				if !d.RainSaid {
					p.UnsaidRain++
				}
			}
		}
		if sprayed[d.Date.Format(time.DateOnly)] {
			d.Sprayed, last = true, d.Date
		}
	}
	p.season()
}

// since reports whether a day lies after the last spray; every day does where there was none.
func (p *Plot) since(day time.Time) bool { return p.Last == nil || day.After(p.Last.Day) }

// season sums up the severity values, and the last days of them.
func (p *Plot) season() {
	over := p.Days
	if n := len(over); n > 0 && !over[n-1].Over {
		over = over[:n-1]
	}
	fortnight := 0
	p.RiskSure, p.Alarm = len(over) > 0, Unknown
	p.Week.Known = len(over) >= 7
	for i, d := range over {
		p.Total, p.TotalMSU = p.Total+d.DSV, p.TotalMSU+d.DSVMSU
		if !d.Known {
			p.UnknownDays++
		}
		if d.Hyre == Yes {
			p.RainDays++
		}
		if i >= len(over)-14 {
			fortnight += d.DSV
			p.RiskSure = p.RiskSure && d.Known
		}
		if i >= len(over)-7 {
			p.Week.DSV += d.DSV
			if d.Hyre == Yes {
				p.Week.Rain++
			}
			p.Week.Known = p.Week.Known && d.Known && d.Hyre != Unknown
		}
		p.Alarm = d.Alarm
	}
	p.Risk = UWRisk(fortnight, p.Total)
	p.Week.Schedule = Metos(p.Week.Rain, p.Week.DSV)
}

// Package gate judges a diary: what holds a harvest back and until when, what must not be said of a lot, what is missing or late.
//
// The farm, its register, the entries as they stand now, and what else is known (temperatures, standings of calibrations) come in as a Case; a
// Verdict goes out: findings with the rule, the entry that causes each, and the moment it clears. The same case gives the same verdict, in
// whatever order its parts come. The rules, their sources and what they do not know stand in the README. No SQL, no HTTP, no clock.
package gate

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"aovuon/server/calibration"
	"aovuon/server/diary"
	"aovuon/server/farm"
)

// Case is what is judged.
type Case struct {
	Farm    *farm.Farm
	Records []farm.Record // of every kind, retired ones too: what was used then is judged by them
	Entries []diary.Entry // of every place, or at least of those asked for and, for drift, of what is sprayed near them
	// Temperature is the mean of the pond's water over a local day, in °C; nil, or ok false: it was not measured.
	Temperature  func(place string, day time.Time) (celsius float64, ok bool)
	Calibrations []Calibration
	Settings     Settings
	Now          time.Time // what is judged: today, or the moment of a harvest

	Place string // judge this place alone; "": all of them
	Cycle string // judge this season of the place, over or not; "": those that are open
}

// Calibration is what a probe's newest calibration is worth.
type Calibration struct {
	Place    string
	Sensor   string
	Standing calibration.Standing
	Due      time.Time // zero: none is asked for
}

// Settings are the co-op's own.
type Settings struct {
	DriftM        float64 // a pyrethroid sprayed nearer to a pond warns
	WaterTestDays int     // the longest time from one water test to the next
}

// Defaults returns the settings of a co-op that has set none; the README says why.
func Defaults() Settings { return Settings{DriftM: 50, WaterTestDays: 7} }

// Level says what follows from a finding.
type Level string

// The levels, gravest first.
const (
	Block   Level = "block" // the lot is held, or the Claim must not be made
	Warning Level = "warn"  // somebody has to do something
	Note    Level = "note"  // somebody should know
)

// rank orders levels, the gravest first.
func (l Level) rank() int { return slices.Index([]Level{Block, Warning, Note}, l) }

// Rule names a rule; its words are gate.RULE, with Args filled in.
type Rule string

// The rules. The arguments of each stand in its comment.
const (
	Withdrawal      Rule = "withdrawal"       // harvest from, input, last day of the treatment, waiting days
	PreHarvest      Rule = "phi"              // harvest from, input, day of the spray, waiting days
	UnknownDays     Rule = "unknown_days"     // input, day
	DegreeDays      Rule = "degree_days"      // °C·d so far, °C·d wanted, input, days without a temperature, about how many days more
	DegreeDaysNone  Rule = "degree_days_none" // °C·d wanted, input, days without a temperature: no day was measured yet
	Banned          Rule = "banned"           // active, input, day, source, status
	BannedBefore    Rule = "banned_before"    // the same, used before the season
	BannedMaybe     Rule = "banned_maybe"     // the same; nobody is sure
	DriftNear       Rule = "drift"            // active, title of the plot, metres, day
	DriftUnknown    Rule = "drift_unknown"    // active, title of the plot, day: one of them has no outline
	DriftSprayed    Rule = "drift_sprayed"    // active, title of the pond, metres, day: the same, at the plot
	OrganicConvert  Rule = "organic_conversion"
	OrganicCrop     Rule = "organic_sown_early" // day of sowing, day from which a crop may be sown
	OrganicNone     Rule = "organic_none"       // no conversion on record
	OrganicBroken   Rule = "organic_broken"     // name and begin of the season that was not organic
	OrganicInput    Rule = "organic_input"      // input, day, until when
	OrganicUnlisted Rule = "organic_unknown"    // the same; nobody said whether it is listed
	OrganicSplit    Rule = "organic_split"      // species, title of the other place
	OrganicRules    Rule = "organic_rules"      // no rules for this branch here
	CertMissing     Rule = "cert_missing"       // scheme
	CertEnding      Rule = "cert_ending"        // scheme, number, last day, days left
	CertOver        Rule = "cert_over"          // scheme, number, last day
	WaterTestDue    Rule = "water_test"         // days since, every
	WaterTestNone   Rule = "water_test_none"    // days since the season began, every
	StockingNone    Rule = "stocking_none"      // begin of the season
	Quarantine      Rule = "quarantine"         // day of stocking
	CalibrationDue  Rule = "calibration_due"    // sensor, day it was due
	CalibrationBad  Rule = "calibration_bad"    // sensor
	StockShort      Rule = "stock_short"        // input, lot, amount with unit
	StockUnknown    Rule = "stock_unit"         // input, day
	InputExpired    Rule = "input_expired"      // input, lot, last day, day of use
	NotRegistered   Rule = "not_registered"     // input, day of use
)

// Rules lists them all.
func Rules() []Rule {
	return []Rule{
		Withdrawal, PreHarvest, UnknownDays, DegreeDays, DegreeDaysNone, Banned, BannedBefore, BannedMaybe, DriftNear,
		DriftUnknown, DriftSprayed, OrganicConvert, OrganicCrop, OrganicNone, OrganicBroken, OrganicInput, OrganicUnlisted, OrganicSplit, OrganicRules,
		CertMissing, CertEnding, CertOver, WaterTestDue, WaterTestNone, StockingNone, Quarantine, CalibrationDue, CalibrationBad,
		StockShort, StockUnknown, InputExpired, NotRegistered,
	}
}

// Claims that a finding of level Block may be about; "" is the lot itself.
const (
	ClaimOrganic = "organic"
	ClaimVietGAP = "vietgap"
	ClaimGACP    = "gacp"
)

// Finding is one thing that a rule found.
type Finding struct {
	Rule   Rule      `json:"rule"`
	Level  Level     `json:"level"`
	Claim  string    `json:"claim,omitempty"`  // of Block: what must not be said; "": the lot is held
	Place  string    `json:"place,omitempty"`  // "": the co-op as a whole
	Cycle  string    `json:"cycle,omitempty"`  // "": the place, whatever grows there
	Cause  string    `json:"cause,omitempty"`  // id of the entry as it was written first; "": no entry causes it
	Record string    `json:"record,omitempty"` // kind/id of the record it is about: an input, a season, a certificate
	Clears time.Time `json:"clears,omitzero"`  // from this moment on it is gone by itself; zero: not by itself, or nobody knows when
	Args   []any     `json:"args,omitempty"`   // string, farm.Text, int, float64, or time.Time of a day
	Kind   string    `json:"needed,omitempty"` // the kind of entry that would clear it
}

// Harvest is when a season of a place may be harvested, as far as waiting days go.
type Harvest struct {
	Place string    `json:"place"`
	Cycle string    `json:"cycle,omitempty"`
	From  time.Time `json:"from,omitzero"` // 00:00 of the first day; zero: nothing was used that asks for waiting
	// Unknown: something was used whose waiting days nobody entered, or degree-days are missing; From is then the earliest it can be.
	Unknown bool   `json:"unknown,omitempty"`
	Cause   string `json:"cause,omitempty"` // id of the entry that From comes from
}

// May reports whether it may be harvested at t.
func (h Harvest) May(t time.Time) bool { return !h.Unknown && !t.Before(h.From) }

// Verdict is what was found, in a fixed order.
type Verdict struct {
	Findings []Finding `json:"findings"`
	Harvests []Harvest `json:"harvests"` // of every place and season that was judged
}

// Harvest returns when a season of a place may be harvested.
func (v Verdict) Harvest(place, cycle string) (Harvest, bool) {
	i := slices.IndexFunc(v.Harvests, func(h Harvest) bool { return h.Place == place && h.Cycle == cycle })
	if i < 0 {
		return Harvest{}, false
	}
	return v.Harvests[i], true
}

// Of returns what was found at a place.
func (v Verdict) Of(place string) []Finding {
	return v.where(func(f Finding) bool { return f.Place == place })
}

// Holds returns what holds a lot of a season of a place; of the place, whatever grows there, where no season is named.
func (v Verdict) Holds(place, cycle string) []Finding {
	return v.where(func(f Finding) bool { return f.Level == Block && f.Claim == "" && f.concerns(place, cycle) })
}

// Forbids returns why a claim must not be made of a season of a place.
func (v Verdict) Forbids(claim, place, cycle string) []Finding {
	return v.where(func(f Finding) bool { return f.Level == Block && f.Claim == claim && f.concerns(place, cycle) })
}

func (f Finding) concerns(place, cycle string) bool {
	return f.Place == place && (cycle == "" || f.Cycle == "" || f.Cycle == cycle)
}

func (v Verdict) where(is func(Finding) bool) []Finding {
	var out []Finding
	for _, f := range v.Findings {
		if is(f) {
			out = append(out, f)
		}
	}
	return out
}

// Judge judges a case.
func Judge(c Case) Verdict {
	j := newJudge(c)
	for _, p := range c.Farm.Places {
		if c.Place != "" && c.Place != p.Code {
			continue
		}
		for _, s := range j.seasons(p) {
			j.wait(s)
			j.banned(s)
			j.organic(s)
			j.claims(s)
			j.papers(s)
		}
		j.drift(p)
		j.calibrations(p)
	}
	if c.Place == "" {
		j.certificates()
	}
	j.stock()
	j.sort()
	return j.verdict
}

// find notes a finding.
func (j *judge) find(f Finding) { j.verdict.Findings = append(j.verdict.Findings, f) }

// newest notes a finding that many entries may cause, in their order: what is said stands once, by the newest of them.
func (j *judge) newest(f Finding, about ...string) {
	key := strings.Join(append([]string{string(f.Rule), f.Place, f.Cycle}, about...), "\x00")
	if i, there := j.said[key]; there {
		j.verdict.Findings[i] = f
		return
	}
	j.said[key] = len(j.verdict.Findings)
	j.find(f)
}

// sort puts findings into their order: the gravest first, then as the farm names its places, then what clears last.
func (j *judge) sort() {
	at := map[string]int{"": len(j.Farm.Places)}
	for i, p := range j.Farm.Places {
		at[p.Code] = i
	}
	slices.SortStableFunc(j.verdict.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Level.rank(), b.Level.rank()), cmp.Compare(at[a.Place], at[b.Place]), cmp.Compare(a.Cycle, b.Cycle),
			never(a.Clears, b.Clears), b.Clears.Compare(a.Clears), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Claim, b.Claim), cmp.Compare(a.Cause, b.Cause), cmp.Compare(a.Record, b.Record), cmp.Compare(text(a.Args), text(b.Args)))
	})
	// A season is judged once; what two seasons of a place share is said once.
	j.verdict.Findings = slices.CompactFunc(j.verdict.Findings, func(a, b Finding) bool {
		return a.Rule == b.Rule && a.Level == b.Level && a.Claim == b.Claim && a.Place == b.Place && a.Cycle == b.Cycle && a.Cause == b.Cause && a.Record == b.Record && text(a.Args) == text(b.Args)
	})
}

// never puts what does not clear by itself before what does.
func never(a, b time.Time) int {
	switch {
	case a.IsZero() == b.IsZero():
		return 0
	case a.IsZero():
		return -1
	}
	return 1
}

// about names a record as findings do.
func about(kind farm.RecordKind, id string) string {
	if id == "" {
		return ""
	}
	return string(kind) + "/" + id
}

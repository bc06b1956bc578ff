package scan

import (
	"context"
	"time"

	"aovuon/server/farm"
)

// Summary is what is kept of a code beside its single scans, and longer than them.
type Summary struct {
	Code     string
	Subject  Subject
	First    time.Time
	Province string // of the first scan; empty: not known
	Last     time.Time
	Count    int       // scans, also those of which no row is kept
	Clients  int       // browsers, each day anew
	Unusual  []Rule    // rules it breaks that nobody has found in order
	Cleared  time.Time // until when somebody has found everything in order; zero: never
}

// Facts returns what a page may tell of it.
func (s Summary) Facts() Facts {
	f := Facts{First: s.First, Province: ProvinceName(s.Province), Count: s.Count}
	for _, r := range s.Unusual {
		f.Unusual = append(f.Unusual, string(r))
	}
	return f
}

// ProvinceName returns what a province is called; empty for none and for Abroad.
func ProvinceName(code string) string {
	p, _ := ProvinceOf(code)
	return p.Name
}

// Batch is what is kept at once.
type Batch struct {
	Rows     []Row
	Subjects map[string]Subject // of the codes of Rows and Said
	Said     []Row              // what readers said afterwards of where they are: of the newest row of that code and client
	Found    map[string][]Finding
	Days     map[string]Day // by day, 2006-01-02 at the co-op
	Sweeps   []Sweep
}

// Day counts what a day brought.
type Day struct {
	Scans   int // of codes of ours, by people
	Again   int // by the same browser within minutes, counted once
	Robots  int // programs that say they are one
	Own     int // from the co-op's own network
	Unknown int // of codes that nobody issued
	Swept   int // by browsers that look at very many codes
	Lost    int // came faster than they could be noted
}

// Add adds the figures of another day.
func (d *Day) Add(o Day) {
	d.Scans, d.Again, d.Robots, d.Own = d.Scans+o.Scans, d.Again+o.Again, d.Robots+o.Robots, d.Own+o.Own
	d.Unknown, d.Swept, d.Lost = d.Unknown+o.Unknown, d.Swept+o.Swept, d.Lost+o.Lost
}

// count adds to the figures of the day of a time.
func (b *Batch) count(at time.Time, d Day) {
	day := at.In(farm.Time()).Format(time.DateOnly)
	sum := b.Days[day]
	sum.Add(d)
	b.Days[day] = sum
}

// Sweep is a browser that looked at very many codes: a shop that checks a delivery, or a program. What it looks at says nothing of a code.
type Sweep struct {
	Client      Client
	Province    string
	First, Last time.Time
	Codes       int // within the hour that was worst
	Unknown     int // of them nobody issued: more than a few means that somebody guesses codes
}

// Store keeps scans.
type Store interface {
	// Subjects returns what codes stand for; codes that nobody issued are left out.
	Subjects(ctx context.Context, codes []string) (map[string]Subject, error)
	// ScanSummary returns what is kept of a code; ok is false where it was never scanned.
	ScanSummary(ctx context.Context, code string) (s Summary, ok bool, err error)
	// ScanRows returns the newest rows of a code, at most so many, the newest first.
	ScanRows(ctx context.Context, code string, most int) ([]Row, error)
	KeepScans(ctx context.Context, b Batch) error
	// ForgetScans deletes rows from before a time, and the oldest beyond so many.
	ForgetScans(ctx context.Context, before time.Time, most int) (deleted int64, err error)
}

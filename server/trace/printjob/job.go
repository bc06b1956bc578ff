// Package printjob keeps prints of labels: which labels of which packed goods were printed on what, when and by whom, and which of them again.
//
// An Order comes in, of whom, and goes out as the Job that was kept, or as a RefusedError with the arithmetic. The package holds the rules: a label
// is of goods that were packed and of a lot that is released for sale; each label is printed once, and again only by a job of its own with a
// reason. A Desk applies them within one transaction of its Store; a Room makes the files of jobs beside the pages and says how far it is. No SQL,
// no HTTP, no words: server/sqldb is the Store, and server/web draws what stands on a label.
package printjob

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/server/label"
	"aovuon/server/trace"
)

// Reason says why labels are printed again. No words of people: it is in the ledger, for everybody.
type Reason string

// The reasons.
const (
	Jammed     Reason = "jammed"     // the printer spoiled them, or printed nothing
	Damaged    Reason = "damaged"    // torn, wet or faded
	Unreadable Reason = "unreadable" // a telephone does not read the code
	Lost       Reason = "lost"
	Changed    Reason = "changed" // what stands on them was put right on record
)

// Reasons lists every reason.
func Reasons() []Reason { return []Reason{Jammed, Damaged, Unreadable, Lost, Changed} }

// Paper is what a job is printed on: an A4 sheet of labels, or a roll.
type Paper struct {
	Sheet string  `json:"sheet,omitempty"` // as label.ParseTemplate reads it; empty: a roll
	Start int     `json:"start,omitempty"` // of a sheet: the first label that is still on it, from 1
	X     float64 `json:"x,omitempty"`     // of a sheet: how far to the right and down everything moves, mm
	Y     float64 `json:"y,omitempty"`

	W        float64        `json:"w,omitempty"` // of a roll's label, mm
	H        float64        `json:"h,omitempty"`
	DPI      int            `json:"dpi,omitempty"`
	Language label.Language `json:"language,omitempty"`
	Gap      float64        `json:"gap,omitempty"` // mm between labels; 0: endless paper
}

// Roll reports whether the paper is a roll.
func (p Paper) Roll() bool { return p.Sheet == "" }

// Sheets returns how a sheet is printed; the error is a *label.RefusedError.
func (p Paper) Sheets(at time.Time) (label.Sheets, error) {
	t, err := label.ParseTemplate(p.Sheet)
	return label.Sheets{Template: t, Start: p.Start, NudgeX: p.X, NudgeY: p.Y, At: at}, err
}

// MostOnRoll bounds a job on a roll: as many as a large one holds.
const MostOnRoll = 1000

// Most returns how many labels one job may have.
func (p Paper) Most() int {
	if p.Roll() {
		return MostOnRoll
	}
	return label.MaxLabels
}

// Mark is one label of a job: it stands on the item of a serial, on an item without one, or on a box.
type Mark struct {
	N  int    // of an item: within its run, from 1; of a box 0
	ID string // its serial, or the box's number; empty: the run has no serials
}

// Job is a print.
type Job struct {
	ID     string
	Made   time.Time
	Actor  string // a pseudonym
	Run    string // id of the Pack; empty: labels of boxes
	Lot    trace.Link
	Again  string // the first print of the same labels; empty: this is one
	Reason Reason // of printing again
	Paper  Paper
	Marks  []Mark
}

// Said is what the ledger tells everybody of a job. No serial is in it: labels are told by their numbers within the run.
type Said struct {
	Job    string   `json:"job"`
	Made   int64    `json:"made_ms"`
	Actor  string   `json:"actor"`
	Run    string   `json:"run,omitempty"`
	Lot    string   `json:"lot,omitempty"`
	Labels string   `json:"labels,omitempty"` // "1-150,153"
	Boxes  []string `json:"boxes,omitempty"`
	Again  string   `json:"again,omitempty"`
	Reason Reason   `json:"reason,omitempty"`
	Paper  Paper    `json:"paper"`
}

// Said returns what the ledger tells of a job.
func (j Job) Said() Said {
	s := Said{Job: j.ID, Made: j.Made.UnixMilli(), Actor: j.Actor, Run: j.Run, Again: j.Again, Reason: j.Reason, Paper: j.Paper}
	if j.Lot != (trace.Link{}) {
		s.Lot = j.Lot.Path()
	}
	if j.Run == "" {
		for _, m := range j.Marks {
			s.Boxes = append(s.Boxes, m.ID)
		}
		return s
	}
	var list []int
	for _, m := range j.Marks {
		list = append(list, m.N)
	}
	s.Labels = Ranges(list)
	return s
}

// Ranges writes numbers that rise as "1-150,153".
func Ranges(list []int) string {
	var out []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		if i == j {
			out = append(out, strconv.Itoa(list[i]))
		} else {
			out = append(out, strconv.Itoa(list[i])+"-"+strconv.Itoa(list[j]))
		}
		i = j + 1
	}
	return strings.Join(out, ",")
}

// ParseRanges reads "3, 7-9" as numbers from 1 to most, each once, rising. Its error says what cannot be read.
func ParseRanges(s string, most int) ([]int, error) {
	seen := map[int]bool{}
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' || r == '\r' || r == '\t' }) {
		first, last, ranged := strings.Cut(strings.ReplaceAll(part, "–", "-"), "-")
		from, err := strconv.Atoi(first)
		to := from
		if ranged && err == nil {
			to, err = strconv.Atoi(last)
		}
		if err != nil || from < 1 || to < from || to > most {
			return nil, fmt.Errorf("printjob: labels %.40q: want numbers from 1 to %d as 3, 7-9", part, most)
		}
		for n := from; n <= to; n++ {
			seen[n] = true
		}
	}
	if len(seen) == 0 {
		return nil, fmt.Errorf("printjob: no label is named: want numbers from 1 to %d as 3, 7-9", most)
	}
	out := make([]int, 0, len(seen))
	for n := range seen {
		out = append(out, n)
	}
	slices.Sort(out)
	return out, nil
}

package dawn

import (
	"context"
	"fmt"
	"strings"
	"time"

	"aovuon/server/diary"
)

// diaryKinds are the entries that say something of the coming night.
func diaryKinds() []string {
	return []string{diary.Aeration, "health", "mortality", "incident", "note", "weather"}
}

// bookDays is how far back the diary is read: aerated nights are told from others when nights are made up for.
const bookDays = backNights + 2

// book is what the diary says, the newest as they stand.
type book []diary.Entry

func (r *Rule) readBook(ctx context.Context, at time.Time) (out book, err error) {
	events, err := r.o.Diary.Events(ctx, diary.Query{Kinds: diaryKinds(), From: at.AddDate(0, 0, -bookDays), To: at.Add(time.Second)})
	if err != nil {
		return nil, fmt.Errorf("dawn: diary: %w", err)
	}
	for _, e := range diary.Entries(events) {
		if !e.Voided {
			out = append(out, e)
		}
	}
	return out, nil
}

// untilMorning is how long an aerator runs of which nobody wrote down for how long: to the end of a night.
const untilMorning = 12 * time.Hour

// aerated returns when the diary says that an aerator ran at a place.
func (b book) aerated(place string, from, to time.Time) (out []Span) {
	for _, e := range b {
		if e.Kind != diary.Aeration || e.Place != place {
			continue
		}
		s := Span{e.At(), e.At().Add(untilMorning)}
		if minutes, ok := e.Values.Number("run_minutes"); ok && minutes > 0 {
			s.To = s.From.Add(time.Duration(minutes * float64(time.Minute)))
		}
		if s.From.Before(to) && s.To.After(from) {
			out = append(out, s)
		}
	}
	return out
}

// gasping and colour are how people write that fish gasp for air at the surface, and that the water changed; folded.
func gasping() []string {
	return []string{"noi dau", "ngap", "dop khi", "dop mong", "len mat nuoc", "thieu oxy", "gasp", "piping"}
}

func colour() []string {
	return []string{"doi mau", "mat mau", "tao tan", "tao chet", "nuoc trong dot ngot", "nuoc den", "colour change", "color change", "bloom crash"}
}

// says reports whether any entry of a place since a moment says one of some texts.
func (b book) says(place string, since time.Time, texts []string) (at time.Time, ok bool) {
	for _, e := range b {
		if e.Place != place || e.At().Before(since) || e.Kind == "weather" || e.Kind == diary.Aeration {
			continue
		}
		text := fold(e.Values.Text("signs") + " " + e.Values.Text("what") + " " + e.Note)
		for _, x := range texts {
			if strings.Contains(text, x) {
				at, ok = e.At(), true
			}
		}
	}
	return at, ok
}

// rained reports whether the diary of the place, or of the whole co-op, says that it rained since a moment.
func (b book) rained(place string, since time.Time) (at time.Time, ok bool) {
	for _, e := range b {
		if e.Kind != "weather" || e.Place != "" && e.Place != place || e.At().Before(since) {
			continue
		}
		sky := e.Values.Text("sky")
		if mm, said := e.Values.Number("rain_mm"); sky == "rain" || sky == "storm" || said && mm > 0 {
			at, ok = e.At(), true
		}
	}
	return at, ok
}

// fold writes what a diary says as the names of the signs are written.
func fold(s string) string { return strings.ReplaceAll(diary.Plain(s), "oxi", "oxy") }

package web

import (
	"context"
	"log/slog"
	"time"
)

// UnknownDevice is a device, or a value of one, that came to an intake and that its mapping does not name.
type UnknownDevice struct {
	Device  string
	Value   string // empty: the device itself is unknown
	N       int64
	Last    time.Time
	Sample  string // what it said last
	Snippet string // what to put into the mapping, one line
}

// unknownRow is one of them in words.
type unknownRow struct {
	Name, Text, Sample, Snippet string
}

// unknownRows are the devices that wait to be named. While the database does not answer there are none, and the page says nothing of them.
func (s *Server) unknownRows(ctx context.Context, w *words, g Gateway, now time.Time) (out []unknownRow) {
	if s.o.Unknown == nil || !g.Unsigned() {
		return nil
	}
	limit, cancel := context.WithTimeout(ctx, sqlPatience)
	defer cancel()
	list, err := s.o.Unknown(limit, g.ID)
	if err != nil {
		s.o.Log.Warn("unknown devices", slog.String("intake", cut(g.ID)), slog.Any("err", err))
		return nil
	}
	for _, x := range list {
		row := unknownRow{Name: x.Device, Text: w.t("unnamed.seen", w.amount("unnamed.times", x.N), w.ago(now, x.Last)), Sample: x.Sample, Snippet: x.Snippet}
		if x.Value != "" {
			row.Name += " · " + x.Value
		}
		out = append(out, row)
	}
	return out
}

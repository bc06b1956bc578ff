package status

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Entry is a line of the log.
type Entry struct {
	Time  time.Time
	Level slog.Level
	Text  string // message and attributes, as slog's text
}

// Log is a slog.Handler that keeps the lines of the last hour in memory, at most so many bytes of them. It stands beside the
// handler that writes the log (slog.NewMultiHandler).
type Log struct {
	*ring
	text slog.Handler
}

// ring is what all handlers made of one Log share.
type ring struct {
	mu      sync.Mutex
	buf     bytes.Buffer // of the line being formatted
	most    int
	keep    time.Duration
	bytes   int
	entries []Entry // oldest first
}

// overhead is what an Entry takes beside its text.
const overhead = 64

// NewLog returns a Log of lines that are at most keep old and most bytes in all.
func NewLog(most int, keep time.Duration) *Log {
	r := &ring{most: most, keep: keep}
	return &Log{ring: r, text: slog.NewTextHandler(&r.buf, &slog.HandlerOptions{
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
				return slog.Attr{} // they are kept beside the text
			}
			return a
		},
	})}
}

// Enabled implements slog.Handler: details are for `gateway run --verbose`.
func (l *Log) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle implements slog.Handler.
func (l *Log) Handle(ctx context.Context, rec slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Reset()
	if err := l.text.Handle(ctx, rec); err != nil {
		return fmt.Errorf("status: log: %w", err)
	}
	text := string(bytes.TrimSpace(l.buf.Bytes()))
	const longest = 4 << 10
	if len(text) > longest {
		text = string(bytes.ToValidUTF8([]byte(text[:longest]), nil)) + "…"
	}
	l.entries = append(l.entries, Entry{Time: rec.Time, Level: rec.Level, Text: text})
	l.bytes += len(text) + overhead
	l.trim(rec.Time)
	return nil
}

// trim forgets what is too old or too much.
func (r *ring) trim(now time.Time) {
	n := 0
	for n < len(r.entries) && (r.bytes > r.most || now.Sub(r.entries[n].Time) > r.keep) {
		r.bytes -= len(r.entries[n].Text) + overhead
		r.entries[n] = Entry{}
		n++
	}
	r.entries = r.entries[n:]
}

// WithAttrs implements slog.Handler.
func (l *Log) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Log{ring: l.ring, text: l.text.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (l *Log) WithGroup(name string) slog.Handler {
	return &Log{ring: l.ring, text: l.text.WithGroup(name)}
}

// Newest returns the lines of the last hour before now, newest first: at most n of at least level, after the first skip.
// more is true when older ones are left.
func (l *Log) Newest(now time.Time, level slog.Level, skip, n int) (out []Entry, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trim(now)
	for _, e := range slices.Backward(l.entries) {
		if e.Level < level {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if len(out) == n {
			return out, true
		}
		out = append(out, e)
	}
	return out, false
}

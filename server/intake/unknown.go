package intake

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Unknown is a device, or a value of a device, that came in and that the mapping does not name.
type Unknown struct {
	Source, Device string
	Value          string // empty: the device itself is unknown
	N              int64
	First, Last    time.Time
	Sample         string // what it said last: temperature=21.5, humidity=60
}

// UnknownStore keeps what is unknown, so that somebody can name it.
type UnknownStore interface {
	// SaveUnknown adds to the counters of each and replaces its sample. What is named by now is told with N 0, and goes. At most MaxUnknown of a
	// source stay, the newest.
	SaveUnknown(ctx context.Context, list []Unknown) error
}

// Bounds of what is kept of the unknown.
const (
	MaxUnknown    = 200 // of a source
	maxSample     = 400 // bytes
	maxWaiting    = 1000
	unknownEvery  = 2 * time.Second
	lastGoodbye   = 2 * time.Second
	maxDeviceName = 100 // bytes
)

// Unknowns gathers what is unknown and writes it down behind the log.
type Unknowns struct {
	store UnknownStore
	log   *slog.Logger

	mu   sync.Mutex
	list map[[3]string]*Unknown
}

// NewUnknowns returns an empty Unknowns.
func NewUnknowns(store UnknownStore, log *slog.Logger) *Unknowns {
	return &Unknowns{store: store, log: log, list: map[[3]string]*Unknown{}}
}

func (u *Unknowns) see(source string, r Refused, at time.Time) {
	device, value := cut(r.Device, maxDeviceName), cut(r.Value, maxDeviceName)
	u.mu.Lock()
	defer u.mu.Unlock()
	key := [3]string{source, device, value}
	x := u.list[key]
	if x == nil {
		if len(u.list) >= maxWaiting {
			return
		}
		x = &Unknown{Source: source, Device: device, Value: value, First: at}
		u.list[key] = x
	}
	x.N++
	x.Last, x.Sample = at, cut(r.Detail, maxSample)
}

// cut makes any text fit for a column and a page.
func cut(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	for len(s) > n {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

// named forgets of a source what its mapping names by now.
func (u *Unknowns) named(source string, m *Mapping) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for id, d := range m.Devices {
		u.list[[3]string{source, id, ""}] = &Unknown{Source: source, Device: id}
		for _, v := range m.namesOf(d) {
			u.list[[3]string{source, id, v}] = &Unknown{Source: source, Device: id, Value: v}
		}
	}
}

// Run writes what has gathered until ctx ends, and then once more.
func (u *Unknowns) Run(ctx context.Context) error {
	tick := time.NewTicker(unknownEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastGoodbye)
			defer cancel()
			return u.flush(last)
		case <-tick.C:
		}
		if err := u.flush(ctx); err != nil && ctx.Err() == nil {
			u.log.Warn("unknown devices cannot be written down", slog.Any("err", err))
		}
	}
}

func (u *Unknowns) flush(ctx context.Context) error {
	u.mu.Lock()
	list := slices.Collect(maps.Values(u.list))
	u.list = map[[3]string]*Unknown{}
	u.mu.Unlock()
	if len(list) == 0 {
		return nil
	}
	all := make([]Unknown, len(list))
	for i, x := range list {
		all[i] = *x
	}
	slices.SortFunc(all, func(a, b Unknown) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Device, b.Device), cmp.Compare(a.Value, b.Value))
	})
	return u.store.SaveUnknown(ctx, all)
}

// Snippet is what to put into a mapping file so that the unknown is named: the device with the values it said, or the value. What a person has
// to say stands there as a question.
func Snippet(x Unknown) string {
	var b strings.Builder
	if x.Value != "" {
		fmt.Fprintf(&b, "devices:\n  %q:\n    values:\n      %q: { quantity: ? }   # %s\n", x.Device, x.Value, x.Sample)
		return b.String()
	}
	fmt.Fprintf(&b, "devices:\n  %q:\n    sensor: ?\n    values:\n", x.Device)
	for part := range strings.SplitSeq(x.Sample, ", ") {
		if name, said, ok := strings.Cut(part, "="); ok {
			fmt.Fprintf(&b, "      %q: { quantity: ? }   # %s\n", name, said)
		}
	}
	return b.String()
}

// Line is Snippet on one line, to stand under devices, or where the device is named under its values: for where indentation gets lost.
func Line(x Unknown) string {
	if x.Value != "" {
		return fmt.Sprintf("%q: { quantity: ? }", x.Value)
	}
	var values []string
	for part := range strings.SplitSeq(x.Sample, ", ") {
		if name, _, ok := strings.Cut(part, "="); ok {
			values = append(values, fmt.Sprintf("%q: { quantity: ? }", name))
		}
	}
	return fmt.Sprintf("%q: { sensor: ?, values: { %s } }", x.Device, strings.Join(values, ", "))
}

package influx

import (
	"context"
	"time"

	"aovuon/server/history"
)

// marking finds the hours that points are written to, or reach into, and that nobody called stale yet. What it found counts only once all of the
// points are written.
type marking struct {
	todo  *todo
	epoch int64 // of todo, when the call began: it stays until it ends
	marks []history.Mark
	seen  map[history.Series]map[int64]struct{} // hours known to be stale, or marked
	next  [2]history.Mark
}

// of returns the marks that must be written before p, until the next call.
func (m *marking) of(p *history.Point, l *line) []history.Mark {
	const hour, hold = int64(time.Hour / time.Millisecond), int64(history.RollupHold / time.Millisecond)
	ms := p.Time.UnixMilli()
	first, second := ms/hour, (ms+hold)/hour
	if l.epoch == m.epoch && l.knows(first) && l.knows(second) {
		return nil
	}
	n := 0
	for i, h := range [2]int64{first, second} {
		if i == 1 && first == second {
			continue
		}
		if _, ok := m.seen[p.Series][h]; ok {
			continue
		}
		if m.todo.has(p.Series, h*hour) {
			l.learn(h, m.epoch)
			continue
		}
		m.next[n] = history.Mark{Series: p.Series, Span: history.Hour, Start: time.UnixMilli(h * hour).UTC()}
		n++
	}
	return m.next[:n]
}

func (l *line) knows(hour int64) bool { return l.known[0] == hour || l.known[1] == hour }

// learn remembers that an hour is stale, in an epoch.
func (l *line) learn(hour, epoch int64) {
	if l.epoch != epoch {
		l.known, l.epoch = [2]int64{hour, hour}, epoch
		return
	}
	if !l.knows(hour) {
		l.known = [2]int64{l.known[1], hour}
	}
}

func (m *marking) know(k history.Series, hour int64) {
	if m.seen == nil {
		m.seen = map[history.Series]map[int64]struct{}{}
	}
	of := m.seen[k]
	if of == nil {
		of = map[int64]struct{}{}
		m.seen[k] = of
	}
	of[hour] = struct{}{}
}

// take remembers marks that are being written.
func (m *marking) take(marks []history.Mark) {
	for _, k := range marks {
		m.know(k.Series, k.Start.UnixMilli()/time.Hour.Milliseconds())
		m.marks = append(m.marks, k)
	}
}

// markAgain writes the marks of the points that were not refused once more: they may have gone with one that was.
func (s *Store) markAgain(ctx context.Context, points []history.Point, rejected []history.Rejected) error {
	type key struct {
		history.Series
		ms int64
	}
	bad := map[key]bool{}
	for _, r := range rejected {
		bad[key{r.Point.Series, r.Point.Time.UnixMilli()}] = true
	}
	again := marking{todo: &todo{}}
	var text []byte
	for i := range points {
		if p := &points[i]; !bad[key{p.Series, p.Time.UnixMilli()}] {
			marks := again.of(p, &line{epoch: -1})
			for _, m := range marks {
				text = mark(text, linePrefix(p.Series), m, stale)
			}
			again.take(marks)
		}
	}
	return s.lay(ctx, string(text))
}

package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/account"
	"aovuon/server/ingest"
	"aovuon/server/watch"
)

// System is what the system page shows of the server itself.
type System struct {
	Started     time.Time
	Version     string
	Database    string // sqlite, postgres
	History     string // sqlite, influx
	Broker      string // where it listens or is
	BrokerDown  bool
	LogEnd      int64 // batches in the log
	Projections []Projection
	Gateways    []Gateway
	Refusals    []Refusal
	Samples     []Sample
	Backup      *Backup         // nil: none are made by themselves
	Rollups     *Rollups        // nil: no server that speaks keeps them
	Processes   []Process       // that work together; none: there is this one alone
	Unkept      []Unkept        // readings that the history will never take, by gateway
	UnkeptLast  []UnkeptReading // the newest of them
}

// Projection is one projection of the batch log.
type Projection struct {
	Name             string
	Position, Behind int64
	Err              string // why it waits; empty when it does not
	Undated          int64  // readings whose time nobody knows
}

// Gateway is one enrolled gateway.
type Gateway struct {
	ID      string
	State   string    // online, offline, or empty while it never said
	Since   time.Time // when it said so
	Seen    time.Time // zero: never
	Clock   string    // of its newest batch: a measure.ClockState, or empty
	Seq     uint64
	Refused int64
	Retired time.Time

	Kind ingest.Kind // of what stands behind the name

	Settings Settings
	Program  *wire.ProgramReport // nil: it never said
}

// Unsigned reports whether the server seals what comes under the name.
func (g Gateway) Unsigned() bool { return g.Kind != ingest.Device }

// Settings says how a gateway and what is wanted of it agree.
type Settings struct {
	State   wire.SettingsState // empty while the gateway never said
	Version uint64             // that it answered
	Wanted  uint64             // that there is
	Why     string             // for people at the server, as the gateway wrote it
	Kept    []string           // paths where its own file stands
}

// Refusal counts refused messages of one gateway and reason.
type Refusal struct {
	Gateway, Reason string
	Count           int64
	First, Last     time.Time
}

// Sample is one refused message.
type Sample struct {
	Gateway, Reason, Detail string
	Received                time.Time
	Size                    int64
}

// Unkept counts readings of one gateway that are in the log and will never be in the history.
type Unkept struct {
	Gateway string
	Count   int64
	Last    time.Time // when the newest was refused
}

// UnkeptReading is one of them.
type UnkeptReading struct {
	Gateway, Sensor string
	Quantity        measure.Quantity
	Time            time.Time // when it says it was measured, whatever that is worth
	Value           float64
	Quality         measure.Quality
	Reason          string
	At              time.Time // when it was refused
}

type systemPage struct {
	frame
	System
	Now  time.Time
	Rows []gatewayRow
	Lags []projectionRow
	Safe backupCard

	Servers []processRow
	Sums    *rollupCard

	Adds  bool // the visitor may add gateways
	Backs bool // and settle where backups go
}

type gatewayRow struct {
	Gateway
	Level level
	Word  string
	Seen  string
	Clock string

	SeqNumber int64
	Set       string // its settings, in words; empty when nobody ever wanted any
	Prog      programLine
	Health    []reading
}

type projectionRow struct {
	Projection
	Label string
	Level level
	Word  string
}

// silent is how long a gateway may say nothing before the page says so, although its connection stands: it sends every
// half minute.
const silent = 5 * time.Minute

func (s *Server) system(r *http.Request, w *words) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	sys, err := s.o.System(r.Context())
	if err != nil {
		return answer{}, err
	}
	now := s.o.Now()
	p := systemPage{frame: s.frame(r, w, f, w.t("system.title")), System: sys, Now: now}
	p.Nav, p.Safe, p.Servers, p.Sums = "system", backupLine(w, sys.Backup), processRows(w, sys.Processes, now), newRollupCard(w, sys.Rollups)
	p.Adds = s.o.Claims != nil && s.may(r.Context(), account.EditFarm)
	p.Backs, p.Forms = s.o.Backups != nil && s.may(r.Context(), account.ManageAccounts), true
	values := s.values(r.Context())
	for _, g := range sys.Gateways {
		row := gatewayLine(w, g, now)
		row.Health = healthOf(w, g.ID, values, now)
		p.Rows = append(p.Rows, row)
	}
	for _, j := range sys.Projections {
		row := projectionRow{Projection: j, Label: j.Name, Level: fine, Word: w.t("system.uptodate")}
		if key := "projection." + j.Name; w.has(key) {
			row.Label = w.t(key)
		}
		switch {
		case j.Err != "":
			row.Level, row.Word = warned, w.t("system.waits")
		case j.Behind > 0:
			row.Level, row.Word = noted, w.amount("system.behind", j.Behind)
		}
		p.Lags = append(p.Lags, row)
	}
	p.Refusals, p.Samples = slices.Clone(sys.Refusals), slices.Clone(sys.Samples) // whose they are, keeps them as they are
	for i, x := range p.Refusals {
		p.Refusals[i].Reason = reasonText(w, x.Reason)
	}
	for i, x := range p.Samples {
		p.Samples[i].Reason = reasonText(w, x.Reason)
	}
	body, err := s.e.render(w.lang, "system.html", "layout", p)
	return answer{status: http.StatusOK, body: body}, err
}

func gatewayLine(w *words, g Gateway, now time.Time) gatewayRow {
	row := gatewayRow{Gateway: g, Level: fine, Word: w.t("gateway.online"), Seen: w.t("gateway.never"), Clock: "—", SeqNumber: int64(min(g.Seq, 1<<62))}
	if !g.Seen.IsZero() {
		row.Seen = w.ago(now, g.Seen)
	}
	if key := "clock." + g.Clock; w.has(key) {
		row.Clock = w.t(key)
	}
	row.Set = settingsText(w, g.Settings)
	row.Prog = programText(w, g.ID, g.Program)
	switch {
	case !g.Retired.IsZero():
		row.Level, row.Word = noted, w.t("gateway.retired")
	case g.Kind == ingest.Imported: // it sends nothing by itself
		row.Word = w.t("gateway.imported")
	case g.State == "" && g.Seen.IsZero():
		row.Level, row.Word = lost, w.t("gateway.never")
	case g.State == "offline":
		row.Level, row.Word = lost, w.t("gateway.offline")
	case now.Sub(g.Seen) > silent:
		row.Level, row.Word = warned, w.t("gateway.silent")
	}
	return row
}

// healthOf is the newest of what a gateway said of itself, in the order people read it.
func healthOf(w *words, gateway string, values []watch.Value, now time.Time) (list []reading) {
	for _, q := range measure.Quantities() {
		for _, v := range values {
			if v.Gateway != gateway || v.Quantity != q || !q.OfGateway() {
				continue
			}
			r := judged(w, nil, v, true, now)
			if r.Value != "" {
				r.Value = w.withUnit(r.Value, q)
			}
			list = append(list, r)
		}
	}
	return list
}

func settingsText(w *words, s Settings) string {
	version := w.count(int64(min(s.Version, 1<<62)))
	switch {
	case s.Wanted > s.Version || s.Wanted > 0 && s.State == "":
		return w.t("settings.waits", w.count(int64(min(s.Wanted, 1<<62))))
	case s.Wanted == 0 || s.State == "":
		return ""
	case s.State == wire.SettingsApplied && len(s.Kept) > 0:
		return w.t("settings.kept", version, strings.Join(s.Kept, ", "))
	}
	if key := "settings." + string(s.State); w.has(key) {
		return w.t(key, version)
	}
	return string(s.State)
}

func reasonText(w *words, reason string) string {
	if key := "reason." + reason; w.has(key) {
		return w.t(key)
	}
	return reason
}

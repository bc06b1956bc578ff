package web

import (
	"strings"
	"time"
)

// Process is one process of a server that has several.
type Process struct {
	Name          string   // machine and address
	Roles, Leads  []string // roles, and leases that it holds
	Started, Seen time.Time
	Silent        bool   // it says nothing any more
	Own           bool   // it is the one that draws the page
	Trouble       string // why it cannot record, as the program says it; empty: it can
	Version       string
}

type processRow struct {
	Process
	Level      level
	Word       string
	Does, Held string
	Heard      string // of a silent one: when it was heard last
}

// processRows are the processes in words. What a newer program calls a role or a lease stands by its name.
func processRows(w *words, list []Process, now time.Time) (rows []processRow) {
	for _, p := range list {
		row := processRow{Process: p, Level: fine, Word: w.t("process.live"), Does: inWords(w, "process.role.", p.Roles), Held: inWords(w, "process.lease.", p.Leads)}
		switch {
		case p.Silent:
			row.Level, row.Word, row.Heard = lost, w.t("process.silent"), w.ago(now, p.Seen)
		case p.Trouble != "":
			row.Level, row.Word = warned, w.t("process.stuck")
		}
		if row.Held == "" {
			row.Held = w.t("process.nothing")
		}
		rows = append(rows, row)
	}
	return rows
}

func inWords(w *words, prefix string, keys []string) string {
	out := make([]string, len(keys))
	for i, k := range keys {
		if out[i] = k; w.has(prefix + k) {
			out[i] = w.t(prefix + k)
		}
	}
	return strings.Join(out, ", ")
}

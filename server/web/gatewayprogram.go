package web

import "aovuon/gateway/wire"

// programLine says how a gateway's program stands to the version that is wanted of it.
type programLine struct {
	Version string // that runs; empty: it never said
	Level   level
	Word    string // empty: no other version is wanted
	Reason  string // in words; empty: none
	Next    string // what a person does about it; empty: nothing
	Why     string // as the gateway wrote it
	Again   string // what has it tried once more; empty: that is of no use
}

// programText puts what a gateway said of its program into words.
func programText(w *words, gateway string, p *wire.ProgramReport) programLine {
	if p == nil {
		return programLine{}
	}
	line := programLine{Version: p.Version, Level: noted, Why: p.Why}
	if line.Version == "" {
		line.Version = w.t("program.unknown")
	}
	if key := "program.why." + p.Code; p.Code != "" && w.has(key) {
		line.Reason = w.t(key)
	}
	if key := "program.next." + p.Code; p.Code != "" && w.has(key) {
		line.Next = w.t(key)
	}
	switch p.State {
	case wire.ProgramCurrent:
		line.Why = ""
	case wire.ProgramWaiting, wire.ProgramFetching, wire.ProgramTrial:
		line.Word = w.t("program."+string(p.State), p.Wanted)
	case wire.ProgramRefused, wire.ProgramRolledBack:
		if p.State == wire.ProgramRolledBack {
			line.Again = "server release roll " + p.Wanted + " " + gateway + " --again"
		}
		line.Level, line.Word = warned, w.t("program."+string(p.State), p.Wanted)
	}
	return line
}

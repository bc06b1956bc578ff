package story

import (
	_ "embed"

	"github.com/rogpeppe/go-internal/testscript"
)

//go:embed LANGUAGE.md
var language string

// Language returns what stories are written in: every command, with its usage.
func Language() string { return language }

type command = func(ts *testscript.TestScript, neg bool, args []string)

// commands are the words of the language beside testscript's own. LANGUAGE.md says what each does; a test holds the two
// together.
func commands() map[string]command {
	return map[string]command{
		// the field and its parts
		"ports": setPorts, "expand": expand, "field": makeField, "up": up, "start": start, "printed": printed, "ctrlc": ctrlC,
		"kill9": kill9, "powercuts": powerCuts, "programs": programs, "need": need, "machine": machine, "disk": disk, "pass": pass, "step": nextStep,
		// what is done to the world and to its devices
		"fault": controlVerb("set"), "heal": controlVerb("heal"), "dip": controlVerb("dip"), "drift": controlVerb("drift"),
		"act": controlVerb("act"), "link": controlVerb("link"), "gateway": controlVerb("gateway"), "broker": controlVerb("broker"),
		"control": controlVerb(""),
		// what the product shows
		"page": page, "pagelike": pageLike, "nopage": noPage, "fetch": fetch, "scan": scan, "label": labelPrinted, "eventually": eventually,
		"newest": newest, "series": series, "mailbox": openMailbox, "mailed": mailed, "mails": mails,
		// what it holds, counted
		"spool": spoolState, "drained": drained, "growing": growing, "waits": waits, "receipts": receipts, "greater": greater, "account": settleAccount,
		// what was in truth
		"happens": happens, "truth": truth, "fish": fish, "blight": blight,
		// somebody who means ill
		"forge": forge,
	}
}

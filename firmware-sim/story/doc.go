// Package story tells the stories of the whole product: it runs the real programs (gateway, server, firmware-sim) as processes
// of their own, on real brokers and databases, and does to them what a season in the field does.
//
// A story (a text file in the language of LANGUAGE.md) comes in; what happened, step by step, and a verdict that is counted go out:
// what the chips answered (the simulator's ledger), what the gateway holds and what the server's charts show are compared reading
// by reading. Nothing of the product imports this package but the simulator's program, whose `firmware-sim story` tells stories to
// anybody:
//
//	firmware-sim story --list            the stories that are built in
//	firmware-sim story power_cut         one of them
//	firmware-sim story ./mine.txt        one of your own
//
// The package's tests tell all of them, and others in Go that a text cannot say: kills of everything at once with an account of
// every single reading, clocks that step by years, a chip's faults by the dozen. The test binary is the programs: started under the
// name gateway, server or firmware-sim it runs that program's Main. So one command builds and runs everything, and the race
// detector, when asked for, is in every process:
//
//	go test ./firmware-sim/story                                 all stories, some minutes
//	go test ./firmware-sim/story -short                          the same with fewer kills
//	go test ./firmware-sim/story -v -run TestStories/power_cut   one story, with its figures
//	go test ./firmware-sim/story -v -run 'TestScripts/enrol'     one script of testdata/script
//	go test ./firmware-sim/story -run '^$' -bench Replay         the 7-day backlog, with its figure
//
// The moments of the kills come from a seed that is logged; AOVUON_SEED=n repeats them. AOVUON_KEEP=1 leaves a failed
// Go story's folder behind and says where.
package story

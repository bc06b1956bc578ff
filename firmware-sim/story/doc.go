// Package story tells the stories of the whole product: its tests run the real programs (gateway, server, firmware-sim)
// as processes of their own, on real brokers and databases, and do to them what a season in the field does.
//
// A field (a folder with the three configurations) comes in, a verdict goes out that is counted: what the chips answered
// (the simulator's ledger), what the gateway had on disk when it died, what the batch log holds and what the history
// holds are compared reading by reading. Nothing of the product imports this package.
//
// The test binary is the programs: started under the name gateway, server or firmware-sim it runs that program's Main.
// So one command builds and runs everything, and the race detector, when asked for, is in every process:
//
//	go test ./firmware-sim/story                                 all stories, some minutes
//	go test ./firmware-sim/story -short                          the same with fewer kills
//	go test ./firmware-sim/story -v -run TestStorm_Embedded      one story, with its figures
//	go test ./firmware-sim/story -v -run 'TestScripts/enrol'     one script of testdata/script
//	go test ./firmware-sim/story -run '^$' -bench Replay         the 7-day backlog, with its figure
//
// The moments of the kills come from a seed that is logged; AOVUON_SEED=n repeats them. AOVUON_KEEP=1 leaves a failed
// story's folder behind and says where.
package story

package story_test

import (
	"flag"
	"io"
	"os"
	"runtime"
	"strconv"
	"testing"
	_ "time/tzdata" // as in each program's main.go

	"github.com/rogpeppe/go-internal/testscript"

	simulator "aovuon/firmware-sim/app"
	gateway "aovuon/gateway/app"
	server "aovuon/server/app"
)

// TestMain makes the test binary the three programs too: testscript puts copies of it under their names first on PATH.
// Stories mostly wait for what happens in real time, so more of them run side by side than there are cores, unless -parallel says.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0)+2)); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){
		"gateway":      func() { os.Exit(run(gateway.Main)) },
		"server":       func() { os.Exit(run(server.Main)) },
		"firmware-sim": func() { os.Exit(run(simulator.Main)) },
	})
}

// run does what each program's main.go does.
func run(program func(args []string, stdout, stderr io.Writer) int) int {
	return program(os.Args[1:], os.Stdout, os.Stderr)
}

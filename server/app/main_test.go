package app_test

import (
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	gatewayapp "aovuon/gateway/app"
	"aovuon/server/app"
	"aovuon/server/parttest"
)

// asServer makes the test binary the server program.
const asServer = "AOVUON_TEST_AS_SERVER"

// checked runs the tests and then looks for goroutines they left.
type checked struct{ m *testing.M }

// Run implements testscript.TestingM.
func (c checked) Run() int {
	code := parttest.Sharing(c.m).Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "goroutines left:", err)
		return 1
	}
	return code
}

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		os.Exit(serve())
	}
	testscript.Main(checked{m}, map[string]func(){
		"gateway": func() { os.Exit(gatewayapp.Main(os.Args[1:], os.Stdout, os.Stderr)) },
		"server":  func() { os.Exit(app.Main(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// serve is the server program, with a CPU profile where AOVUON_BENCH_PROFILE names a file, and beside it, named .allocs, what was allocated.
func serve() int {
	if path := os.Getenv("AOVUON_BENCH_PROFILE"); path != "" && os.Args[1] == "run" {
		f, err := os.Create(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() {
			pprof.StopCPUProfile()
			if err := errors.Join(f.Close(), writeAllocs(path+".allocs")); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}()
	}
	return app.Main(os.Args[1:], os.Stdout, os.Stderr)
}

func writeAllocs(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}

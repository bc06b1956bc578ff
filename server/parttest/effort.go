package parttest

import (
	"os"
	"testing"
)

// tortureEnv names the environment variable that lets fault tests run as long as they are worth: "1" some minutes each,
// "all" without a bound of time.
const tortureEnv = "AOVUON_TORTURE"

// Effort returns how much a fault test shall do: short with -short, usual in CI, long under `make torture`
// (AOVUON_TORTURE=1), and all with AOVUON_TORTURE=all.
func Effort(t testing.TB, short, usual, long, all int) int {
	t.Helper()
	switch {
	case os.Getenv(tortureEnv) == "all":
		return all
	case os.Getenv(tortureEnv) != "":
		return long
	case testing.Short():
		return short
	}
	return usual
}

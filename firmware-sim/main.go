// Command firmware-sim is a field without a field: simulated chips for the real gateway, a season of history, and the
// whole product on one machine.
package main

import (
	"os"
	_ "time/tzdata"

	"aovuon/firmware-sim/app"
)

func main() { os.Exit(app.Main(os.Args[1:], os.Stdout, os.Stderr)) }

// Command server takes signed batches in from gateways and serves pages to people. See README.md.
package main

import (
	"os"
	_ "time/tzdata"

	"aovuon/server/app"
)

func main() { os.Exit(app.Main(os.Args[1:], os.Stdout, os.Stderr)) }

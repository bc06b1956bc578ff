// The gateway program: reads the probes of ponds and fields, keeps what it read, and hands it to the server.
package main

import (
	"os"
	_ "time/tzdata"

	"aovuon/gateway/app"
)

func main() { os.Exit(app.Main(os.Args[1:], os.Stdout, os.Stderr)) }

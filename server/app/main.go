// Package app is the server program: command line and configuration come in, a running server or one finished command
// goes out. It wires broker, ingest, batch log, projections and pages together and holds no rule of its own.
package app

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/alecthomas/kong"
)

// command line of the program.
type cli struct {
	Config string `help:"Configuration file." default:"server.yaml" type:"path"`

	Run  runCmd  `cmd:"" help:"Run the server until SIGINT or SIGTERM."`
	Init initCmd `cmd:"" help:"Make the data folder and the server's key."`
	Key  keyCmd  `cmd:"" help:"Print the server's verifier key, for the gateways' server.key_file."`
}

type env struct {
	stdout, stderr io.Writer
	config         string
	log            *slog.Logger
}

type (
	runCmd  struct{}
	initCmd struct{}
	keyCmd  struct{}
)

func (runCmd) Run(*env) error  { return nil }
func (initCmd) Run(*env) error { return nil }
func (keyCmd) Run(*env) error  { return nil }

// Main runs the program and returns its exit code: 0 done, 1 failed, 2 wrong usage.
func Main(args []string, stdout, stderr io.Writer) int {
	var c cli
	exited := -1 // set by kong when --help has been printed
	parser, err := kong.New(&c, kong.Name("server"), kong.Description("AoVườn server: broker, ingest, history and pages."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = max(exited, code) }))
	if err != nil {
		return fail(stderr, 2, err)
	}
	k, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		return fail(stderr, 2, err)
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	if err := k.Run(&env{stdout: stdout, stderr: stderr, config: c.Config, log: log}); err != nil {
		return fail(stderr, 1, err)
	}
	return 0
}

func fail(stderr io.Writer, code int, err error) int {
	if _, err := fmt.Fprintln(stderr, "server:", err); err != nil {
		return 3
	}
	return code
}

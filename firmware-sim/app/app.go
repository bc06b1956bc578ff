// Package app is the simulator program: a command line comes in; a live field, a season of history, a fault or the whole
// demo goes out. All wiring of the simulator is here.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"aovuon/firmware-sim/control"
	"aovuon/firmware-sim/field"
)

// cli is what can be asked of the program.
type cli struct {
	Run    runCommand        `cmd:"" help:"Run a simulated field with its gateways, links, brokers and servers, all of which can be commanded, until stopped."`
	Serve  serveCommand      `cmd:"" help:"Run only the field: Unix sockets for I²C buses, folders for 1-Wire, until stopped."`
	Season seasonCommand     `cmd:"" help:"Make a season of history in a gateway's spool, faster than real time, before its first run."`
	Act    actCommand        `cmd:"" help:"Do something to the world of a running field: feed, treat, aerate, irrigate, harvest, make rain …"`
	Tell   tellCommand       `cmd:"" help:"Command a running field: any line its control socket takes; 'help' lists them."`
	Fault  faultCommand      `cmd:"" help:"Break a simulated device while it runs, or heal it."`
	Dip    dipCommand        `cmd:"" help:"Put the probe of a simulated device into a bottle, or back into its place: to calibrate it."`
	Drift  driftCommand      `cmd:"" help:"Age the probe of a simulated device."`
	Demo   demoCommand       `cmd:"" help:"Run the whole product on this machine: server, simulated field, gateways, a season of history."`
	Fleet  fleetCommand      `cmd:"" help:"Run many gateways against a broker and a server, as load, and count what becomes of every batch."`
	Bench  fieldbenchCommand `cmd:"" name:"fieldbench" help:"Write a server's configuration and the cards of gateways for a benchmark harness that is told how to seal (fieldbench/README.md)."`
	OnCard onCardCommand     `cmd:"" hidden:"" name:"on-card" help:"Become another program, with its files on a simulated card."`
	Story  storyCommand      `cmd:"" help:"Tell stories of the whole product, and whether it was in them as it should be."`
	Week   weekCommand       `cmd:"" help:"Draw some days of a place of the world as an SVG."`
	Ledger ledgerCommand     `cmd:"" help:"What the world really was, and how far the product is from it."`
	Sample sampleCommand     `cmd:"" help:"Print a commented field file."`
}

// env is what every command is given.
type env struct {
	ctx            context.Context
	stdout, stderr io.Writer
	log            *slog.Logger
}

// Main runs the program with the arguments after its name and returns its exit status: 0 when it did what was asked, 1
// when it could not, 2 when it was not asked properly.
func Main(args []string, stdout, stderr io.Writer) int {
	var c cli
	exit := -1
	k, err := kong.New(&c, kong.Name("firmware-sim"), kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }),
		kong.Description("AoVườn simulator: a field of simulated chips that the real gateway reads."))
	if err != nil {
		return complain(stderr, 2, err)
	}
	asked, err := k.Parse(args)
	switch {
	case exit >= 0: // --help
		return exit
	case err != nil:
		return complain(stderr, 2, fmt.Errorf("%w (firmware-sim --help lists what there is)", err))
	}
	ctx := context.Background()
	if len(c.OnCard.Program) == 0 { // it becomes another program, which would never hear of a signal that was caught here
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
		defer stop()
	}
	e := &env{ctx: ctx, stdout: stdout, stderr: stderr, log: slog.New(slog.NewTextHandler(stderr, nil))}
	if err := asked.Run(e); err != nil {
		return complain(stderr, 1, err)
	}
	return 0
}

func complain(w io.Writer, status int, err error) int {
	if _, bad := fmt.Fprintf(w, "firmware-sim: %v\n", err); bad != nil {
		return 1
	}
	return status
}

// say prints one line for a person.
func (e *env) say(format string, args ...any) {
	if _, err := fmt.Fprintf(e.stdout, format+"\n", args...); err != nil {
		e.log.Warn("standard output is gone", slog.Any("err", err))
	}
}

type sampleCommand struct{}

func (sampleCommand) Run(e *env) error {
	_, err := io.WriteString(e.stdout, field.Sample())
	return err
}

type faultCommand struct {
	Control string   `required:"" help:"Control socket of the running simulator." type:"path"`
	Device  string   `arg:"" help:"Device to break, or 'list' to see them all, or 'all' to heal."`
	Words   []string `arg:"" optional:"" name:"fault" passthrough:"" help:"unplug, crc, stuck and many more (list), some with a number: drift 0.1 (a day), step -1.5, fouling 7 (days); or clean; or heal."`
}

func (c faultCommand) Run(e *env) error {
	words := slices.DeleteFunc(c.Words, func(w string) bool { return w == "--" }) // before a negative number it may be there
	switch {
	case len(words) == 0 && c.Device == "list":
		return e.tell(c.Control, "list")
	case len(words) == 0:
		return errors.New("which fault? firmware-sim fault --control SOCKET list shows what each device can have")
	case words[0] == "heal", words[0] == "clean":
		return e.tell(c.Control, strings.Join(append([]string{words[0], c.Device}, words[1:]...), " "))
	}
	return e.tell(c.Control, strings.Join(append([]string{"set", c.Device}, words...), " "))
}

type actCommand struct {
	Control string   `required:"" help:"Control socket of the running simulator." type:"path"`
	For     string   `help:"How long it lasts, such as 2h or 90m."`
	What    string   `help:"The product, the crop, the goods; of several aerators, which."`
	By      string   `help:"Who says so."`
	At      string   `help:"When it begins, in the world's time, such as 2026-11-25T05:00:00+07:00; default: now."`
	Words   []string `arg:"" help:"KIND [PLACE] [AMOUNT]; the weather has no place, or -. firmware-sim tell help act lists them all."`
}

func (c actCommand) Run(e *env) error {
	words := append([]string{"act"}, c.Words...)
	for _, o := range [][2]string{{"for", c.For}, {"what", c.What}, {"at", c.At}, {"by", c.By}} {
		if o[1] != "" {
			words = append(words, o[0], o[1])
		}
	}
	return e.tell(c.Control, strings.Join(words, " "))
}

type tellCommand struct {
	Control string   `required:"" help:"Control socket of the running simulator." type:"path"`
	Words   []string `arg:"" passthrough:"" help:"The command, such as: set ao1-do unplug. help lists them all."`
}

func (c tellCommand) Run(e *env) error { return e.tell(c.Control, strings.Join(c.Words, " ")) }

// tell has a running field obey a command, and prints the answer.
func (e *env) tell(socket, command string) error {
	lines, err := control.Ask(e.ctx, socket, command)
	if err != nil {
		return err
	}
	for _, line := range lines {
		e.say("%s", line)
	}
	return nil
}

// Package app is the gateway program: one YAML file and a command come in; a running gateway, its keys, or an answer
// on standard output goes out. All wiring of the gateway is here and nowhere else.
package app

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"aovuon/gateway/bus"
	"aovuon/gateway/sense"
	"aovuon/gateway/spool"
	"aovuon/gateway/wire"
)

// sample is a commented configuration; a test reads it with the program's own reader.
//
//go:embed sample.yaml
var sample string

// cli is what can be asked of the program.
type cli struct {
	Config  string `short:"c" default:"gateway.yaml" help:"Configuration file; paths in it are relative to its folder." type:"path"`
	Verbose bool   `short:"v" help:"Log every detail."`
	JSON    bool   `name:"log-json" help:"Log in JSON."`

	Run       runFlags     `cmd:"" help:"Read the probes, keep what they say, hand it to the server."`
	Init      struct{}     `cmd:"" help:"Make the key and the MQTT password, once, and print the card that enrols this gateway with a server."`
	PIN       struct{}     `cmd:"" name:"pin" help:"Print the PIN of the installer page, and make it if there is none."`
	Enrol     enrolFlags   `cmd:"" help:"Make the key, show it to the server with a code of server gateway claim, and write what it answers into the configuration."`
	Enrolled  struct{}     `cmd:"" help:"Say whether this gateway is enrolled: status 0 or 1."`
	Rekey     rekeyFlags   `cmd:"" help:"Put a new key and password in the place of the old ones; the old key signs for it. The gateway must not run."`
	Card      struct{}     `cmd:"" help:"Print the enrolment card again."`
	Doctor    doctorFlags  `cmd:"" help:"Examine the machine, the probes and the way to the server, and say what to do about each. Status 1 when something must be mended."`
	Scan      scanFlags    `cmd:"" help:"Find the chips on every bus, and print the lines of the configuration for them."`
	Check     struct{}     `cmd:"" help:"Check the configuration and every file it names, and start nothing."`
	Spool     struct{}     `cmd:"" help:"Print what waits for the server, as JSON; also while the gateway runs."`
	Calibrate calibrateCmd `cmd:"" help:"Lead through the calibration of a probe; without a sensor list how all of them stand. Also while the gateway runs."`
	Reload    struct{}     `cmd:"" help:"Have the running gateway read its configuration again, now; it also does so by itself when the file changes."`
	Settings  struct{}     `cmd:"" help:"Print what is in force at the running gateway of what the server can set."`
	Aerator   aeratorCmd   `cmd:"" help:"Show what aerators and alarms do, or switch an aerator by hand for a time. The gateway must be running."`
	Renew     struct{}     `cmd:"" help:"Begin the numbering anew and seal again what waits: after an old copy of the memory card was put back."`
	Sample    sampleFlags  `cmd:"" help:"Print a commented sample configuration."`
	Update    updateCmd    `cmd:"" help:"How the program stands to the version that is wanted of it; try again what was rolled back; go back to the installed program."`
	Release   releaseCmd   `cmd:"" help:"For the maker of the program: sign what gateways may install by themselves."`
	Version   versionCmd   `cmd:"" help:"Print version, commit and machine of this program."`
	Probe     probeFlags   `cmd:"" help:"Templates of Modbus and analog probes."`
}

// sampleFlags are what gateway sample is told.
type sampleFlags struct {
	Box bool `help:"As a box begins with: readings in /var/lib/aovuon, named as the machine, no server before it is enrolled."`
}

func (f sampleFlags) print(stdout io.Writer) error {
	text := []byte(sample)
	if f.Box {
		host, err := os.Hostname()
		if err != nil {
			host = ""
		}
		text = boxSample(host)
	}
	_, err := stdout.Write(text)
	return err
}

// boxSample is the sample without a server, of a gateway named as its machine; names that machines have when nobody gave them one do not do.
func boxSample(host string) []byte {
	text := bytes.Replace([]byte(sample), []byte("\ndata_dir: ./data\n"), []byte("\ndata_dir: /var/lib/aovuon\n"), 1)
	if wire.ValidGatewayID(host) && !slices.Contains([]string{"raspberrypi", "localhost", "debian"}, host) {
		text = bytes.Replace(text, []byte("\ngateway: gw-ao-phukhe\n"), []byte("\ngateway: "+host+"\n"), 1)
	}
	return withServer(text, "# No server: a claim names it (gateway enrol, a USB stick or the page of gateway run), in /var/lib/aovuon/enrolled.yaml. A server: block here\n# would stand over that.\n")
}

// Main runs the gateway program with the arguments after its name and returns its exit status: 0 when it did what was
// asked, 1 when it could not, 2 when it was not asked properly.
func Main(args []string, stdout, stderr io.Writer) int {
	var c cli
	exit := -1
	k, err := kong.New(&c, kong.Name("gateway"), kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }),
		kong.Description("AoVườn gateway: carries what probes in ponds and fields say to the server, and loses nothing on the way."))
	if err != nil {
		return complain(stderr, 2, err)
	}
	asked, err := k.Parse(args)
	switch {
	case exit >= 0: // --help
		return exit
	case err != nil:
		return complain(stderr, 2, fmt.Errorf("%w (gateway --help lists what there is)", err))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := c.do(ctx, asked.Command(), args, stdout, stderr); err != nil {
		return complain(stderr, 1, orAsRoot(err))
	}
	return 0
}

// orAsRoot says what to do where a file or the control socket belongs to another user: to the gateway's own, most often.
func orAsRoot(err error) error {
	if !errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "as root") {
		return err
	}
	return fmt.Errorf("%w: ask as the user the gateway runs as, or as root", err)
}

func complain(w io.Writer, status int, err error) int {
	if _, bad := fmt.Fprintf(w, "gateway: %v\n", err); bad != nil {
		return 1
	}
	return status
}

func (c *cli) do(ctx context.Context, command string, args []string, stdout, stderr io.Writer) error {
	if strings.HasPrefix(command, "release ") {
		return c.Release.do(command, stdout)
	}
	if strings.HasPrefix(command, "probe ") {
		return c.Probe.doProbe(command, stdout)
	}
	switch command {
	case "sample":
		return c.Sample.print(stdout)
	case "run":
		if c.Run.Once {
			return once(ctx, c.Config, c.Run.JSON, stdout, c.logger(stderr))
		}
		l := &launcher{path: c.Config, args: append([]string{os.Args[0]}, args...), log: c.logger(stderr), stderr: stderr}
		return l.launch(ctx)
	case "update", "update <what>":
		return c.Update.run(ctx, c.Config, stdout)
	case "version":
		return printVersion(c.Version.JSON, stdout)
	case "doctor":
		return examine(ctx, c.Config, c.Doctor, stdout, c.logger(stderr))
	case "scan":
		return scanBuses(ctx, c.Config, c.Scan, stdout, c.logger(stderr))
	case "check":
		return check(c.Config, stdout, c.logger(stderr))
	case "calibrate", "calibrate <sensor>":
		return c.Calibrate.run(ctx, c.Config, os.Stdin, stdout, c.logger(stderr))
	case "reload":
		return reload(ctx, c.Config, stdout)
	case "settings":
		return printSettings(ctx, c.Config, stdout)
	case "aerator", "aerator <aerator>", "aerator <aerator> <mode>":
		return c.Aerator.run(ctx, c.Config, stdout)
	case "enrol <claim>":
		return enrol(ctx, c.Config, c.Enrol, stdout)
	case "rekey":
		return rekey(ctx, c.Config, c.Rekey, stdout, c.logger(stderr))
	case "renew":
		return renew(ctx, c.Config, stdout, c.logger(stderr))
	case "spool":
		return printSpool(ctx, c.Config, stdout)
	}
	cfg, err := load(c.Config)
	if err != nil {
		return err
	}
	if command == "pin" {
		return printPIN(cfg, stdout)
	}
	if command == "enrolled" {
		return printEnrolled(cfg)
	}
	if command == "init" {
		err = initialise(cfg)
	}
	if err := errors.Join(err, cfg.giveToGateway()); err != nil {
		return err
	}
	card, err := cardOf(cfg)
	if err != nil {
		return err
	}
	_, err = io.WriteString(stdout, card.String())
	return err
}

func (c *cli) logger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{}
	if c.Verbose {
		o.Level = slog.LevelDebug
	}
	if c.JSON {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// initialise makes what a gateway has to have of its own; what is there is left alone.
func initialise(cfg *Config) error {
	for _, dir := range []string{cfg.DataDir, filepath.Dir(cfg.KeyFile), filepath.Dir(cfg.PasswordFile)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("app: make folder: %w (data_dir, key_file and password_file must be in folders that can be made)", err)
		}
	}
	if _, err := wire.CreateKey(cfg.KeyFile, cfg.Gateway); err != nil {
		return fmt.Errorf("app: %w (%s)", err, cfg.mendSecret(err, mendKey))
	}
	if _, err := wire.CreateSecret(cfg.PasswordFile); err != nil {
		return fmt.Errorf("app: %w", err)
	}
	return nil
}

func cardOf(cfg *Config) (wire.Card, error) {
	signer, vkey, err := wire.LoadKey(cfg.KeyFile)
	if err != nil {
		return wire.Card{}, fmt.Errorf("app: %w (%s)", err, cfg.mendSecret(err, mendKey))
	}
	if signer.Name() != cfg.Gateway {
		return wire.Card{}, fmt.Errorf("app: key file %s belongs to %q, the configuration is of %q", cfg.KeyFile, signer.Name(), cfg.Gateway)
	}
	secret, err := readSecret(cfg.PasswordFile)
	if err != nil {
		return wire.Card{}, fmt.Errorf("app: %w (%s)", err, cfg.mendSecret(err, mendPassword))
	}
	return wire.NewCard(cfg.Gateway, vkey, secret), nil
}

func readSecret(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("password file: %w", err)
	}
	secret := strings.TrimSpace(string(raw))
	if secret == "" || strings.ContainsAny(secret, "\r\n") {
		return "", errors.New("password file " + path + ": want one line that is not empty")
	}
	return secret, nil
}

// renew is for a spool that is older than what was sent from it: the server refuses its numbers, rightly.
func renew(ctx context.Context, path string, stdout io.Writer, log *slog.Logger) (err error) {
	buses := bus.NewSet(log)
	defer func() { err = errors.Join(err, buses.Close()) }()
	clock := sense.NewSystemClock(sense.SystemClockOptions{})
	p, err := makePlan(path, buses, clock, false)
	if err != nil {
		return err
	}
	g, err := open(ctx, p, clock, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.close()) }()
	if err := g.sealer.Renew(ctx, spool.ErrAhead, clock.Now()); err != nil {
		return fmt.Errorf("app: %w", err)
	}
	st, err := g.spool.Stats(ctx)
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	return json.NewEncoder(stdout).Encode(st)
}

func printSpool(ctx context.Context, path string, stdout io.Writer) error {
	cfg, err := load(path)
	if err != nil {
		return err
	}
	st, err := spool.ReadStats(ctx, cfg.spoolFile())
	if errors.Is(err, spool.ErrCorrupt) {
		return fmt.Errorf("app: %w: restart the gateway: it sets the file aside and saves what can be read; then look at the card (gateway doctor)", err)
	}
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	return json.NewEncoder(stdout).Encode(st)
}

// Package app is the server program: command line and configuration come in, a running server or one finished command
// goes out. It wires broker, ingest, batch log, projections and pages together and holds no rule of its own.
package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"aovuon/server/ledger"
)

// cli is the command line.
type cli struct {
	Config  string `help:"Configuration file; without: server.yaml here, or else /etc/aovuon-server/server.yaml." type:"path"`
	Verbose bool   `help:"Log what is only of interest when something is wrong." short:"v"`

	Example   exampleCmd   `cmd:"" help:"Print a sample configuration with every key."`
	Run       runCmd       `cmd:"" help:"Run the server until SIGINT or SIGTERM."`
	Init      initCmd      `cmd:"" help:"Make the data folder, the server's key and the database."`
	SetupLink setupLinkCmd `cmd:"" help:"Print the one-time link to the page in the browser that sets a server up (setup: true)."`
	Settings  configCmd    `cmd:"" name:"config" help:"Print what is in force of the configuration, and which file says it."`
	Key       keyCmd       `cmd:"" help:"Print the server's verifier key, for the gateways' server.key_file."`
	Gateway   gatewayCmd   `cmd:"" help:"Enrol, list and retire gateways."`
	Release   releaseCmd   `cmd:"" help:"Programs that gateways install by themselves: keep, list, roll out, hold."`
	Intake    intakeCmd    `cmd:"" help:"Devices that cannot sign: LoRaWAN, ESPHome, Zigbee2MQTT, Tasmota, Home Assistant, SenML, JSON."`
	Broker    brokerCmd    `cmd:"" help:"Files for a Mosquitto between the gateways and this server."`
	Channel   channelCmd   `cmd:"" help:"How people are told of alarms: what is set up, a trial message, keys."`
	Notify    notifyCmd    `cmd:"" help:"Who is told of alarms; a test of one of them."`
	User      userCmd      `cmd:"" help:"Add, list, disable people; links with which they set their password."`
	Card      cardCmd      `cmd:"" help:"Make and revoke farmers' key cards."`
	TLS       tlsCmd       `cmd:"" name:"tls" help:"The server's own certificate authority."`
	Ledger    ledgerCmd    `cmd:"" help:"The transparency log: what others need to check it."`
	Verify    verifyCmd    `cmd:"" help:"Check a .tlog-proof file, with no server and no network."`
	Audit     auditCmd     `cmd:"" help:"Check a whole server from outside: tree, rows, batches, evidence."`
	Telemetry telemetryCmd `cmd:"" help:"What others look at this server with: dashboards and alert rules."`
	Witness   witnessCmd   `cmd:"" help:"Be a witness for the ledgers of others."`
	Farm      farmCmd      `cmd:"" help:"Say which places and sensors there are."`
	Book      bookCmd      `cmd:"" help:"Write the record book of a season as PDF or XLSX, or list the seasons."`
	Label     labelCmd     `cmd:"" help:"Write labels of lots and boards of places: PDF for A4 sheets, files for label printers."`
	Recall    recallCmd    `cmd:"" help:"Find what is downstream of something wrong, recall it, practise it."`
	EPCIS     epcisCmd     `cmd:"" name:"epcis" help:"Lots as EPCIS 2.0, for those who trade with the co-op."`
	Person    personCmd    `cmd:"" help:"What is kept about people: consent, withdrawal, export, erasure, requests."`
	Log       logCmd       `cmd:"" help:"Say what is in the batch log."`
	Version   versionCmd   `cmd:"" help:"Print version, commit and machine of this program."`
	Backup    backupCmd    `cmd:"" help:"Copy everything that cannot be drawn again into one encrypted file, and try such files."`
	Restore   restoreCmd   `cmd:"" help:"Make a data folder from a backup, checked against the signed ledger."`
	History   historyCmd   `cmd:"" help:"The time series: set up the database they are kept in."`
	Migrate   migrateCmd   `cmd:"" help:"Move a working co-op from SQLite to PostgreSQL, or back."`
	Reproject reprojectCmd `cmd:"" help:"Draw a projection again from the batch log: the history while the server works."`
}

// env is what every command gets.
type env struct {
	ctx    context.Context //nolint:containedctx // the command's own, ended by SIGINT and SIGTERM
	stdout io.Writer
	stderr io.Writer
	config string
	log    *slog.Logger
	now    func() time.Time
}

// by is who works at this machine's shell, now.
func (e *env) by() ledger.By { return ledger.By{Actor: ledger.Operator, At: e.now()} }

func (e *env) printf(format string, a ...any) error {
	_, err := fmt.Fprintf(e.stdout, format, a...)
	return err
}

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
		return fail(stderr, 2, fmt.Errorf("%w (server --help lists what there is)", err))
	}
	level := slog.LevelInfo
	if c.Verbose {
		level = slog.LevelDebug
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	config, installed := configOr(c.Config)
	became := false
	if installed && !strings.HasPrefix(k.Command(), "restore ") { // which makes a folder where root alone may, and hands it over
		if strings.HasPrefix(k.Command(), "backup drill ") {
			err = c.Backup.Drill.open()
		}
		if err == nil {
			became, err = becomeOwner(config)
		}
		if err != nil {
			return fail(stderr, 1, err)
		}
	}
	if err := k.Run(&env{ctx: ctx, stdout: stdout, stderr: stderr, config: config, log: log, now: time.Now}); err != nil {
		return fail(stderr, 1, explained(err, became))
	}
	return 0
}

func fail(stderr io.Writer, code int, err error) int {
	if _, err := fmt.Fprintln(stderr, "server:", err); err != nil {
		return 3
	}
	return code
}

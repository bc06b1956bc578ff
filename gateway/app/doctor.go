package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/gateway/bus"
	"aovuon/gateway/doctor"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/spool"
	"aovuon/gateway/status"
	"aovuon/gateway/uplink"
	"aovuon/gateway/wire"
)

// doctorFlags are the flags of gateway doctor.
type doctorFlags struct {
	JSON bool   `help:"Print JSON."`
	Root string `hidden:"" default:"/" type:"path" help:"Look for boot, dev, etc, proc, run and sys below this folder."`
	Unit string `default:"aovuon-gateway.service" help:"The systemd unit of the gateway."`
}

// errSick ends gateway doctor with status 1; what is wrong was printed already.
var errSick = errors.New("app: something must be mended, see above")

// examine makes every check there is and prints what it found.
func examine(ctx context.Context, path string, f doctorFlags, stdout io.Writer, log *slog.Logger) error {
	var found []doctor.Finding
	cfg, err := load(path)
	found = append(found, configFindings(path, cfg, err, log)...)
	p := &doctor.Patient{
		Root: f.Root, User: -1, StatFS: statFS, Unit: f.Unit, Systemctl: systemctl,
	}
	clock := sense.NewSystemClock(sense.SystemClockOptions{Root: f.Root, AssumeSynced: cfg != nil && cfg.Clock.AssumeSynced})
	p.Now, p.Clock = clock.Now(), clock.Check()
	free := func() error { return nil }
	if cfg != nil {
		cfg.describe(p)
		p.User = gatewayUser(ctx, f, cfg.DataDir)
		var lockErr error
		if free, lockErr = takeFolder(cfg.DataDir); lockErr != nil {
			free = func() error { return nil }
		}
		p.Running = errors.Is(lockErr, errRuns)
		found = append(found, p.Examine(ctx)...)
		found = append(found, probeFindings(ctx, cfg, lockErr, log)...)
		found = append(found, serverFindings(ctx, cfg, p.Running)...)
	} else {
		found = append(found, p.Examine(ctx)...)
	}
	write := doctor.Write
	if f.JSON {
		write = doctor.WriteJSON
	}
	if err := errors.Join(free(), write(stdout, found)); err != nil {
		return err
	}
	if doctor.Worst(found) == doctor.Bad {
		return errSick
	}
	return nil
}

func systemctl(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "systemctl", args...).CombinedOutput()
	return string(out), err
}

// gatewayUser is who the gateway runs as: the user of its unit, or who owns its data folder.
func gatewayUser(ctx context.Context, f doctorFlags, dataDir string) int {
	if _, err := os.Stat(filepath.Join(f.Root, "run/systemd/system")); err == nil && f.Root == "/" {
		if out, err := systemctl(ctx, "show", f.Unit, "--property=User", "--value"); err == nil {
			if u, err := user.Lookup(strings.TrimSpace(out)); err == nil {
				if id, err := strconv.Atoi(u.Uid); err == nil {
					return id
				}
			}
		}
	}
	return doctor.Owner(dataDir)
}

// describe tells the doctor what the configuration names.
func (c *Config) describe(p *doctor.Patient) {
	p.Gateway, p.ConfigFile, p.DataDir, p.SpoolFile = c.Gateway, c.path, c.DataDir, c.spoolFile()
	p.KeyFile, p.PasswordFile, p.CAFile = c.KeyFile, c.PasswordFile, c.Server.CAFile
	p.Assume = c.Clock.AssumeSynced
	if _, err := os.Stat(c.Status.PINFile); err == nil {
		p.PINFile = c.Status.PINFile // it is made when the page is first shown
	}
	for _, name := range slices.Sorted(maps.Keys(c.Buses)) {
		b := doctor.Bus{Name: name, I2C: c.Buses[name].I2C, W1: c.Buses[name].W1, OneWire: c.Buses[name].OneWire, Serial: c.Buses[name].Serial}
		p.Buses = append(p.Buses, b)
	}
	p.Inspect = func(ctx context.Context) (spool.Inspection, error) { return spool.Inspect(ctx, c.spoolFile()) }
	p.Oldest = func(body []byte) (time.Time, error) {
		b, err := wire.OpenUnverified(body)
		if err != nil || len(b.Readings) == 0 {
			return time.Time{}, err
		}
		return b.Readings[0].Time.Wall, nil
	}
}

// configFindings says everything that is wrong with the file, as gateway check does.
func configFindings(path string, cfg *Config, err error, log *slog.Logger) []doctor.Finding {
	bad := leaves(err)
	if cfg != nil {
		buses := bus.NewSet(log)
		_, err := makePlan(path, buses, sense.NewSystemClock(sense.SystemClockOptions{}), true)
		bad = leaves(errors.Join(err, buses.Close()))
	}
	own := func(e error, path string) bool { // a missing key or password has a finding of its own
		_, err := os.Stat(path)
		return errors.Is(err, fs.ErrNotExist) && strings.Contains(e.Error(), path)
	}
	var out []doctor.Finding
	for _, e := range bad {
		if e == nil || cfg != nil && (own(e, cfg.KeyFile) || own(e, cfg.PasswordFile)) {
			continue
		}
		f := doctor.Finding{Check: "configuration", Level: doctor.Bad, What: e.Error(), Mend: "see gateway sample"}
		if c, ok := errors.AsType[*ConfigError](e); ok {
			f.Mend = c.Mend
			without := *c
			without.Mend = ""
			f.What = without.Error()
		}
		out = append(out, f)
	}
	if len(out) == 0 {
		out = append(out, doctor.Finding{Check: "configuration", Level: doctor.OK, What: fmt.Sprintf("%s: gateway %s, %d sensors", path, cfg.Gateway, len(cfg.Sensors))})
	}
	return out
}

// probeFindings asks every probe once.
func probeFindings(ctx context.Context, cfg *Config, lock error, log *slog.Logger) []doctor.Finding {
	if errors.Is(lock, errRuns) {
		s, err := askRunning(ctx, cfg)
		if err != nil {
			return []doctor.Finding{{Check: "probes", Level: doctor.Bad, What: err.Error(), Mend: "see the gateway's log; restart it if it hangs"}}
		}
		return append(judge(cfg, answersOf(s)), unheard(cfg, s)...)
	}
	if lock != nil {
		return []doctor.Finding{{Check: "probes", Level: doctor.Warn, What: "not asked: " + lock.Error(), Mend: "ask as the user the gateway runs as, or as root"}}
	}
	answers, err := askOnce(ctx, cfg, log)
	if err != nil {
		return []doctor.Finding{{Check: "probes", Level: doctor.Warn, What: "not asked: the configuration is not right yet", Mend: "mend the configuration first"}}
	}
	return judge(cfg, answers)
}

// unheard names the sensors that said nothing since the gateway started.
func unheard(cfg *Config, s status.Snapshot) (out []doctor.Finding) {
	for _, spec := range cfg.Sensors {
		if !slices.ContainsFunc(s.Channels, func(c status.Channel) bool { return c.Sensor == spec.ID }) {
			out = append(out, doctor.Finding{
				Check: "probe " + spec.ID, Level: doctor.Warn, What: "said nothing since the gateway started",
				Mend: "ask again in a minute; if it stays so, see the gateway's log: the file may have changed in a way that only a restart brings into force",
			})
		}
	}
	return out
}

// judge makes a finding of each channel's answer.
func judge(cfg *Config, answers []answer) (out []doctor.Finding) {
	for _, a := range answers {
		spec := cfg.spec(a.Sensor)
		f := doctor.Finding{Check: "probe " + a.Sensor, Level: doctor.Warn}
		info, _ := a.Quantity.Info()
		f.What = strings.TrimSpace(fmt.Sprintf("%s %s %s", a.Quantity, strconv.FormatFloat(a.Value, 'f', info.Decimals, 64), info.Unit))
		switch a.Quality {
		case measure.Good:
			f.Level = doctor.OK
		case measure.Uncalibrated:
			f.What, f.Mend = f.What+", uncalibrated", "gateway calibrate "+a.Sensor+" leads through it"
		case measure.Estimated:
			f.What, f.Mend = f.What+", estimated with "+a.Inputs, "name a sensor for what is marked with ? there (temperature: ...), or mend the one that is named"
		case measure.Suspect:
			f.What, f.Mend = f.What+", suspect", "look at the probe: clean it, and compare it with another"
		case measure.OutOfRange:
			f.What, f.Mend = f.What+", not possible", "check that the probe is in the water or the soil, its wiring and its calibration"
		case measure.Fault:
			f.Level, f.What, f.Mend = doctor.Bad, fmt.Sprintf("%s: %s", a.Quantity, a.why()), doctor.MendFault(a.Reason, spec.Address, spec.Device)
		}
		if a.Quantity == measure.AlarmState && a.Quality == measure.Good && a.Value != 0 {
			f.Level, f.What, f.Mend = doctor.Warn, "the alarm is on", "gateway aerator shows what aerators and alarms do"
		}
		if spec.ID == "" && a.Quality >= measure.Uncalibrated && a.Reason != measure.BusDown { // derived, or what an aerator does
			f.Mend = "it follows from other channels: mend those first"
		}
		if n := len(out); f.Level == doctor.Bad && n > 0 && out[n-1].Check == f.Check && out[n-1].Level == doctor.Bad {
			continue // one chip, one fault, whatever it measures
		}
		out = append(out, f)
	}
	return out
}

func (c *Config) spec(id string) kind.Spec {
	for _, s := range c.Sensors {
		if s.ID == id {
			return s
		}
	}
	return kind.Spec{}
}

// serverFindings goes the way to the server. A gateway that runs is logged in already, and must stay so.
func serverFindings(ctx context.Context, cfg *Config, running bool) (out []doctor.Finding) {
	if !cfg.enrolled() { // said among what is wrong with the configuration
		return nil
	}
	password, err := readSecret(cfg.PasswordFile)
	tlsConfig, tlsErr := cfg.tlsConfig(notBefore(cfg, time.Now))
	if tlsErr != nil {
		return []doctor.Finding{{Check: "server certificate", Level: doctor.Bad, What: tlsErr.Error(), Mend: "see server.ca_file, cert_file and cert_key_file in the configuration: gateway check says which is wrong"}}
	}
	login := !running && err == nil && cfg.Gateway != ""
	for _, s := range uplink.Try(ctx, uplink.Options{Gateway: cfg.Gateway, URL: cfg.Server.URL, Password: password, TLS: tlsConfig}, login) {
		f := doctor.Finding{Check: "server " + s.Name, Level: doctor.OK, What: s.Did}
		if s.Err != nil {
			f.Level, f.What, f.Mend = doctor.Bad, s.Err.Error(), s.Mend
		}
		out = append(out, f)
	}
	switch {
	case doctor.Worst(out) == doctor.Bad:
	case running:
		out = append(out, linkFinding(ctx, cfg))
	case err != nil:
		out = append(out, doctor.Finding{Check: "server login", Level: doctor.Warn, What: "not tried without a password", Mend: "gateway init --config " + cfg.path})
	}
	return out
}

// linkFinding asks the running gateway, which holds the connection, how that is.
func linkFinding(ctx context.Context, cfg *Config) doctor.Finding {
	f := doctor.Finding{Check: "server login", Level: doctor.OK}
	s, err := askRunning(ctx, cfg)
	since := (time.Duration(s.LinkFor) * time.Second).String()
	switch {
	case err != nil:
		f.Level, f.What, f.Mend = doctor.Warn, err.Error(), "see the gateway's log; restart it if it hangs"
	case !s.Link:
		f.Level, f.What, f.Mend = doctor.Bad, "the running gateway has no link, for "+since, "its log says why: the password, the topics, or a server that gives no receipts; enrol it with gateway card"
	case s.ReceiptAge == nil:
		f.What = "the running gateway has a link, for " + since
	default:
		f.What = fmt.Sprintf("the running gateway has a link, for %s; last receipt %v ago", since, time.Duration(*s.ReceiptAge)*time.Second)
	}
	return f
}

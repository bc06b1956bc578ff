package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/broker"
	"aovuon/server/ingest"
	"aovuon/server/intake"
	"aovuon/server/sqldb"
)

type intakeCmd struct {
	Add        intakeAddCmd        `cmd:"" help:"Put an intake into the register, and print its password for MQTT, which is its token for HTTP; again: a new password."`
	List       intakeListCmd       `cmd:"" help:"List the intakes of the configuration and of the register."`
	Test       intakeTestCmd       `cmd:"" help:"Show what a captured message becomes, or why not. Nothing is kept."`
	Unknown    intakeUnknownCmd    `cmd:"" help:"Print what came in that no mapping names, as lines for the mapping."`
	Quantities intakeQuantitiesCmd `cmd:"" help:"List the quantities a mapping can name, and the units each takes."`
}

type intakeAddCmd struct {
	Name string `arg:"" help:"Name of the intake: small letters, digits, hyphens."`
}

// Run makes the key with which the server seals what the intake sends, and the intake's password.
func (cmd *intakeAddCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	var b [20]byte
	if _, err := rand.Read(b[:]); err != nil {
		return fmt.Errorf("password: %w", err)
	}
	password := hex.EncodeToString(b[:])
	added, err := e.addSource(c, cmd.Name, password, ingest.Intake)
	if err != nil {
		return err
	}
	what := "has a new password; the old one is worth nothing any more"
	if added {
		what = "added"
	}
	if err := e.printf("intake %s %s\n\nMQTT  user %s, password %s, topics %s%s/...\nHTTP  POST %s%s%s  Authorization: Bearer %s\n\nThe password is not kept here and not shown again.\n",
		cmd.Name, what, cmd.Name, password, broker.DeviceTopics, cmd.Name, strings.TrimSuffix(c.PublicURL, "/"), intake.Path, cmd.Name, password); err != nil {
		return err
	}
	if !slices.ContainsFunc(c.Intakes.Sources, func(s IntakeConfig) bool { return s.Name == cmd.Name }) {
		return e.printf("It is not in %s yet: add it under intakes.sources with a mapping, and start the server again.\n", e.config)
	}
	return nil
}

// addSource makes the key of a source, unless it has one, and puts it into the register.
func (e *env) addSource(c Config, name, password string, kind ingest.Kind) (added bool, err error) {
	if !wire.ValidGatewayID(name) {
		return false, fmt.Errorf("name %q: use small letters, digits and hyphens, 2 to 39 characters", name)
	}
	file := c.sourceKeyFile(name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return false, fmt.Errorf("folder of keys: %w", err)
	}
	err = e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		vkey, err := wire.CreateKey(file, name)
		if err != nil {
			return err
		}
		card := wire.NewCard(name, vkey, password)
		if password == "" { // nobody signs in by the name
			card.SecretSHA, card.Mosquitto = [32]byte{}, ""
		}
		added, err = db.AddSource(ctx, card, kind, e.by())
		return err
	})
	return added, err
}

type intakeListCmd struct{}

// Run lists the intakes.
func (intakeListCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		list, err := db.Standings(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
		if _, err := fmt.Fprintln(w, "NAME\tKIND\tREGISTER\tSEEN\tBATCHES\tUNKNOWN\tMAPPING"); err != nil {
			return err
		}
		for _, name := range namesOfSources(c, list) {
			kind, register, seen, mapping, batches := "", "not added", time.Time{}, "-", uint64(0)
			if i := slices.IndexFunc(list, func(s sqldb.Standing) bool { return s.Gateway == name }); i >= 0 {
				s := list[i]
				kind, register, seen, batches = string(s.Kind), "in service", s.Seen, s.Seq
				if !s.Retired.IsZero() {
					register = "retired " + stamp(s.Retired)
				}
			}
			if i := slices.IndexFunc(c.Intakes.Sources, func(s IntakeConfig) bool { return s.Name == name }); i >= 0 {
				kind, mapping = cmp.Or(kind, string(ingest.Intake)), c.Intakes.Sources[i].Mapping
			}
			unknown, err := db.Unknown(ctx, name)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\n", name, kind, register, stamp(seen), batches, len(unknown), mapping); err != nil {
				return err
			}
		}
		return w.Flush()
	})
}

// namesOfSources are the names in the configuration and in the register, in order.
func namesOfSources(c Config, list []sqldb.Standing) (names []string) {
	for _, s := range list {
		if s.Unsigned() {
			names = append(names, s.Gateway)
		}
	}
	for _, s := range c.Intakes.Sources {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

type intakeTestCmd struct {
	Name    string `arg:"" help:"Name of the intake in the configuration."`
	File    string `arg:"" help:"File with one message as it came; - for standard input."`
	Topic   string `help:"Topic it came by, below in/NAME/: sensor/ao1/state."`
	Event   string `help:"Kind chirpstack: the event of its HTTP integration." default:""`
	At      string `help:"When it came, RFC 3339; empty: now."`
	Mapping string `help:"Another mapping file than that of the configuration." type:"path"`
}

// Run shows what a message becomes.
func (cmd *intakeTestCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	file := cmd.Mapping
	if i := slices.IndexFunc(c.Intakes.Sources, func(s IntakeConfig) bool { return s.Name == cmd.Name }); file == "" && i >= 0 {
		file = c.Intakes.Sources[i].Mapping
	}
	if file == "" {
		return fmt.Errorf("%s has no intake %q: add it under intakes.sources, or say --mapping FILE", e.config, cmd.Name)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("mapping: %w", err)
	}
	m, err := intake.ParseMapping(file, raw)
	if err != nil {
		return err
	}
	at := e.now()
	if cmd.At != "" {
		if at, err = time.Parse(time.RFC3339, cmd.At); err != nil {
			return fmt.Errorf("--at: %q is no time: write it as 2026-11-26T06:30:00+07:00", cmd.At)
		}
	}
	body, err := readAll(cmd.File, intake.MaxMessage)
	if err != nil {
		return err
	}
	topic := strings.Trim(strings.TrimPrefix(cmd.Topic, broker.DeviceTopics+cmd.Name+"/"), "/")
	return cmd.show(e, c, m.Read(intake.Message{Topic: topic, Event: cmd.Event, Body: body, Received: at}))
}

// readAll reads a file, or standard input, of at most so many bytes.
func readAll(name string, most int64) (raw []byte, err error) {
	in := os.Stdin
	if name != "-" {
		if in, err = os.Open(name); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, in.Close()) }()
	}
	raw, err = io.ReadAll(io.LimitReader(in, most+1))
	if err == nil && int64(len(raw)) > most {
		err = fmt.Errorf("%s: more than %d bytes", name, most)
	}
	return raw, err
}

func (cmd *intakeTestCmd) show(e *env, c Config, t intake.Taken) error {
	if t.Nothing {
		return e.printf("nothing: the message is none of those that carry measurements\n")
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		f, err := db.Farm(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
		for _, r := range t.Readings {
			info, _ := r.Quantity.Info()
			where := "no place yet: mount it at " + cmd.Name + " / " + r.Sensor
			if code, ok := f.PlaceOf(cmd.Name, r.Sensor, r.Time.Wall); ok {
				p, _ := f.Place(code)
				where = "at " + p.Name + " (" + code + ")"
			}
			if _, err := fmt.Fprintf(w, "reading\t%s\t%s\t%s %s\t%s\t%s, unsigned\t%s\n", r.Sensor, r.Quantity,
				measure.FormatNumber(r.Value, info.Decimals+2, ".", ""), info.Unit, r.Time.Wall.Format(time.RFC3339), r.Quality, where); err != nil {
				return err
			}
		}
		for _, x := range t.Refused {
			if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", x.Why, x.Device, x.Value, x.Detail); err != nil {
				return err
			}
		}
		if err := w.Flush(); err != nil {
			return err
		}
		for _, x := range t.Refused {
			if x.Why == intake.UnknownDevice || x.Why == intake.UnknownValue {
				if err := e.printf("\nfor the mapping:\n%s", intake.Snippet(intake.Unknown{Device: x.Device, Value: x.Value, Sample: x.Detail})); err != nil {
					return err
				}
			}
		}
		return e.printf("\n%d readings, %d refused, %d ignored\n", len(t.Readings), len(t.Refused), t.Ignored)
	})
}

type intakeUnknownCmd struct {
	Name string `arg:"" help:"Name of the intake."`
}

// Run prints what no mapping names.
func (cmd *intakeUnknownCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		known, err := db.Standings(ctx)
		if err != nil {
			return err
		}
		if !slices.Contains(namesOfSources(c, known), cmd.Name) {
			return fmt.Errorf("there is no intake %q: server intake list names those there are", cmd.Name)
		}
		list, err := db.Unknown(ctx, cmd.Name)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return e.printf("nothing unknown came in\n")
		}
		for _, x := range list {
			if err := e.printf("# %d times, last %s\n%s\n", x.N, stamp(x.Last), intake.Snippet(x)); err != nil {
				return err
			}
		}
		return nil
	})
}

type intakeQuantitiesCmd struct{}

// Run lists the quantities.
func (intakeQuantitiesCmd) Run(e *env) error {
	w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
	if _, err := fmt.Fprintln(w, "QUANTITY\tUNIT\tALSO TAKES\tPHYSICAL LIMITS"); err != nil {
		return err
	}
	for _, q := range measure.Quantities() {
		if info, _ := q.Info(); !q.OfGateway() {
			if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%v to %v\n", q, info.Unit, strings.Join(intake.Units(q), " "), info.Min, info.Max); err != nil {
				return err
			}
		}
	}
	return w.Flush()
}

package app

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"aovuon/firmware-sim/child"
	"aovuon/firmware-sim/disk"
	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/host"
)

type runCommand struct {
	Field   string   `arg:"" optional:"" default:"field.yaml" help:"Field file; firmware-sim sample prints one." type:"path"`
	Speed   *float64 `help:"Run the world so many times faster, in place of the file's speed."`
	Gateway string   `help:"The gateway program, for gateways that name none; default: the one beside this program, or on PATH." type:"path"`
	panelFlags
}

func (c runCommand) Run(e *env) error {
	cfg, err := field.Load(c.Field)
	if err != nil {
		return err
	}
	if err := hasten(&cfg, c.Speed); err != nil {
		return err
	}
	c.into(&cfg)
	return e.live(cfg, hosting{gateway: c.Gateway})
}

// hosting is how the machines of a field are run.
type hosting struct {
	gateway   string           // the program of gateways that name none; empty: the one beside this program
	sim       string           // the simulator program; empty: this one
	household *child.Household // whose children they are; nil: one of their own
	ready     func()           // called when all of them have been started; may be nil
}

// host prepares the machines of a field; done is called when they have ended.
func (e *env) host(cfg field.Config, f *field.Field, how hosting) (h *host.Host, done func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	o := host.Options{Household: how.household, Sim: how.sim, Gateway: how.gateway, Now: time.Now, Log: e.log}
	if o.Sim == "" {
		o.Sim = self
	}
	if o.Gateway == "" {
		o.Gateway = beside(self, "gateway")
	}
	done = func() {}
	if o.Household == nil {
		var names []string
		for _, p := range cfg.Programs {
			names = append(names, p.ID)
		}
		for _, g := range cfg.Gateways {
			names = append(names, g.ID)
		}
		o.Household = child.NewHousehold(child.NewScreen(e.stdout), names...)
		done = o.Household.Close
	}
	if h, err = host.New(e.ctx, cfg, f, o); err != nil {
		done()
		return nil, nil, err
	}
	return h, done, nil
}

// beside is a program in the folder of this one, or else the one on PATH.
func beside(self, name string) string {
	path := filepath.Join(filepath.Dir(self), name)
	if _, err := exec.LookPath(path); err == nil {
		return path
	}
	return name
}

// onCardCommand becomes another program whose files are on a simulated card: package disk. `run` starts gateways with it.
type onCardCommand struct {
	Program []string `arg:"" passthrough:"" help:"The program and its arguments."`
}

// socketOnCard is the descriptor a program on a card is started with.
const socketOnCard = 3

func (c onCardCommand) Run(*env) error {
	argv := c.Program
	if len(argv) > 0 && argv[0] == "--" {
		argv = argv[1:]
	}
	if len(argv) == 0 {
		return errors.New("on-card: which program?")
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return fmt.Errorf("on-card: %w", err)
	}
	return disk.Enter(socketOnCard, append([]string{path}, argv[1:]...))
}

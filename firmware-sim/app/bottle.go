package app

import (
	"fmt"
	"strings"
)

type dipCommand struct {
	Control string   `required:"" help:"Control socket of the running simulator." type:"path"`
	Device  string   `arg:"" help:"Device whose probe it is."`
	Bath    []string `arg:"" help:"The value that is right in the bottle, and if known its temperature in °C; or out."`
}

func (c dipCommand) Run(e *env) error {
	return e.tell(c.Control, "dip "+c.Device+" "+strings.Join(c.Bath, " "))
}

type driftCommand struct {
	Control string  `required:"" help:"Control socket of the running simulator." type:"path"`
	Device  string  `arg:"" help:"Device whose probe it is."`
	Gain    float64 `default:"1" help:"The probe feels gain times the truth"`
	Offset  float64 `default:"0" help:"plus this; write --offset=-0.3."`
}

func (c driftCommand) Run(e *env) error {
	return e.tell(c.Control, fmt.Sprintf("drift %s %g %g", c.Device, c.Gain, c.Offset))
}

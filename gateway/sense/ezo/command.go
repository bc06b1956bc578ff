package ezo

import (
	"context"
	"errors"
	"time"
)

// Command gives the circuit any command and returns the text of its answer, empty where it only agrees. work is how long
// the circuit works at it; 0 takes the 300 ms of most commands. After it the circuit is asked anew whether it is
// calibrated. The error is a *sense.Fault, or ctx's; IsSyntax tells a command the circuit does not know.
func (d *Dev) Command(ctx context.Context, command string, work time.Duration) (string, error) {
	if work <= 0 {
		work = waitCommand
	}
	d.calibrated = false
	return d.ask(ctx, command, work)
}

// IsSyntax reports whether err says that the circuit does not know a command.
func IsSyntax(err error) bool { return errors.Is(err, errSyntax) }

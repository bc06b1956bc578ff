package story

import (
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"aovuon/firmware-sim/control"
)

// controlVerb returns the command that says a line to the running field's control socket ($CONTROL): the verb and the
// arguments. What is answered is the command's standard output. A negated command wants a refusal, with its text there.
func controlVerb(verb string) command {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		c := castOf(ts, false, args, 1, strings.TrimSpace(verb+" WORD..."))
		line := strings.TrimSpace(verb + " " + strings.Join(args, " "))
		began := c.o.Now()
		lines, err := control.Ask(c.ctx, ts.Getenv("CONTROL"), line)
		c.touched(verb, args, began)
		if err != nil {
			lines = []string{err.Error()}
		}
		for _, l := range lines {
			if _, bad := fmt.Fprintln(ts.Stdout(), l); bad != nil {
				ts.Fatalf("%v", bad)
			}
		}
		if (err != nil) != neg {
			ts.Fatalf("%s: %v", line, err)
		}
	}
}

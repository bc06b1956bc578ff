package update

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"aovuon/gateway/wire"
)

// The variables with which a program gives its place to another, FORMAT.md.
const (
	VarInstalled = "AOVUON_INSTALLED" // path of the installed program
	VarProgram   = "AOVUON_PROGRAM"   // version of the one that runs in its place
	VarTrial     = "AOVUON_TRIAL"     // set: it is on trial, and its parent hears it on descriptor 3
)

// What a program on trial says, a line each.
const (
	sayBeat    = "beat"
	sayReceipt = "receipt"
)

// beatEvery is how often a program on trial says that it works.
const beatEvery = 10 * time.Second

// Parent is the program that stands by while this one is on trial. The nil Parent hears nothing: this one is on no trial.
type Parent struct {
	mu sync.Mutex
	f  *os.File
}

// OpenParent returns the parent of a program on trial, nil for every other.
func OpenParent() *Parent {
	if os.Getenv(VarTrial) == "" {
		return nil
	}
	return &Parent{f: os.NewFile(3, "trial")}
}

// Every is how often Beat is to be called; 0: never.
func (p *Parent) Every() time.Duration {
	if p == nil {
		return 0
	}
	return beatEvery
}

// Beat says that the program works.
func (p *Parent) Beat() error { return p.say(sayBeat) }

// Receipt hands on a receipt as it came. It blocks no longer than the parent does.
func (p *Parent) Receipt(sealed []byte) error {
	return p.say(sayReceipt + " " + base64.StdEncoding.EncodeToString(sealed))
}

func (p *Parent) say(line string) error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.f.WriteString(line + "\n"); err != nil {
		return fmt.Errorf("update: the program that stands by: %w", err)
	}
	return nil
}

// ErrProvesNothing says that a receipt is not for what the program on trial sealed.
var ErrProvesNothing = errors.New("the receipt is for nothing that the program on trial sealed")

// Proves reports whether a receipt covers the batch next of epoch, the first that a program on trial can have sealed. fresh is
// the epoch of the spool now: the program may have had to begin a new one.
func Proves(r wire.Receipt, gateway, epoch string, next uint64, fresh func() (string, error)) error {
	if r.Gateway != gateway || r.Upto == 0 {
		return ErrProvesNothing
	}
	if r.Epoch == epoch {
		if r.Upto < next {
			return ErrProvesNothing
		}
		return nil
	}
	now, err := fresh()
	if err != nil {
		return err
	}
	if r.Epoch != now {
		return ErrProvesNothing
	}
	return nil
}

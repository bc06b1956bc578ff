// Package control is how a running field is commanded.
//
// Verbs come in from those who own them (the board of faults, the gateways, the links, the weather), and command lines from a
// test, a page in this process or a Unix socket (FORMAT.md); the lines of the answer go out. Nothing here knows what a verb does.
package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// ErrUsage is wrapped by the errors of lines that ask for what is not there, or not properly.
var ErrUsage = errors.New("control")

// Verb is the first word of a command, and what it does.
type Verb struct {
	Name  string   // one word
	Usage []string // every way to use it, the name included, with a word of meaning after " - ": "heal DEVICE - end its fault"
	// Do obeys. args are the words after the name. The lines it returns are the answer; an error is one line, which says what is
	// wrong and how to mend it. ctx ends with the simulator. It is called from any goroutine.
	Do func(ctx context.Context, args []string) (lines []string, err error)
}

// Told is a command, and what came of it.
type Told struct {
	By    string // who gave it: what By said, or ""
	Line  string
	Lines []string
	Err   error
}

// by is the key of a context's value.
type by struct{}

// By returns a context whose commands are given by somebody: "socket", the address of a person's browser, the name of a script.
func By(ctx context.Context, who string) context.Context { return context.WithValue(ctx, by{}, who) }

// Desk takes commands and has those obey who own their verbs. The verb help is its own. It is safe for concurrent use.
type Desk struct {
	mu    sync.Mutex
	verbs []Verb
	watch func(Told)
}

// NewDesk returns a desk that can help, and nothing else yet.
func NewDesk() *Desk { return &Desk{} }

// Add gives the desk verbs. A name that it has already, or that is no word, is refused, with all that came with it.
func (d *Desk) Add(verbs ...Verb) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := d.verbs
	for _, v := range verbs {
		if len(strings.Fields(v.Name)) != 1 || v.Do == nil {
			return fmt.Errorf("%w: %q is no verb: want one word and what it does", ErrUsage, v.Name)
		}
		if _, twice := find(list, v.Name); twice || v.Name == helpVerb {
			return fmt.Errorf("%w: the verb %s is there twice", ErrUsage, v.Name)
		}
		list = append(list, v)
	}
	d.verbs = list
	return nil
}

// Watch has f told of every command but help, after it was obeyed or refused and before the one who gave it gets his answer. It
// replaces the function of the call before.
func (d *Desk) Watch(f func(Told)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watch = f
}

const helpVerb = "help"

// Do has one command line obeyed and returns the lines of the answer. Words are parted by blanks.
func (d *Desk) Do(ctx context.Context, line string) (lines []string, err error) {
	words := strings.Fields(line)
	d.mu.Lock()
	verbs, watch := slices.Clip(d.verbs), d.watch
	d.mu.Unlock()
	if len(words) == 0 {
		return nil, fmt.Errorf("%w: an empty line; want one of: %s", ErrUsage, names(verbs))
	}
	if words[0] == helpVerb {
		return help(verbs, words[1:])
	}
	v, ok := find(verbs, words[0])
	if !ok {
		return nil, fmt.Errorf("%w: no verb %q; want one of: %s", ErrUsage, words[0], names(verbs))
	}
	lines, err = v.Do(ctx, words[1:])
	if watch != nil {
		who, _ := ctx.Value(by{}).(string)
		watch(Told{By: who, Line: strings.Join(words, " "), Lines: lines, Err: err})
	}
	return lines, err
}

// Want is the error of a verb whose words are not those of its usage.
func (v Verb) Want() error {
	want := make([]string, len(v.Usage))
	for i, u := range v.Usage {
		want[i], _, _ = strings.Cut(u, " - ")
	}
	return fmt.Errorf("%w: want: %s", ErrUsage, strings.Join(want, ", or "))
}

// help lists the usage of every verb, or of one.
func help(verbs []Verb, about []string) (lines []string, err error) {
	if len(about) > 0 {
		v, ok := find(verbs, about[0])
		if !ok {
			return nil, fmt.Errorf("%w: no verb %q; want one of: %s", ErrUsage, about[0], names(verbs))
		}
		return v.Usage, nil
	}
	for _, v := range verbs {
		lines = append(lines, v.Usage...)
	}
	return append(lines, "help [VERB] - what there is to say"), nil
}

func find(verbs []Verb, name string) (Verb, bool) {
	for _, v := range verbs {
		if v.Name == name {
			return v, true
		}
	}
	return Verb{}, false
}

func names(verbs []Verb) string {
	list := make([]string, 0, len(verbs)+1)
	for _, v := range verbs {
		list = append(list, v.Name)
	}
	return strings.Join(append(list, helpVerb), ", ")
}

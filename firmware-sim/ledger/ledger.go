// Package ledger writes down what every simulated chip answered, so that what arrives elsewhere can be counted against it.
//
// Answers come in as chips give them, lines of a file go out: FORMAT.md. Nothing in the product reads the file; it is the
// test's own witness.
package ledger

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"aovuon/gateway/measure"
)

// Entry is one answer of one chip.
type Entry struct {
	Time     time.Time // of the simulator's clock, millisecond resolution
	Device   string
	Quantity measure.Quantity // empty for a fault that hit the chip before it was clear what was asked
	Value    float64          // what a right driver computes from the chip's bits; meaningless when Fault is set
	Fault    string           // why there is no number in the answer; empty when there is one
}

// Ledger appends entries to a file. It is safe for concurrent use. The first write error ends the writing, so that a chip never waits
// or fails for the ledger's sake; it is told when it happens, and returned by Close.
type Ledger struct {
	mu   sync.Mutex
	f    *os.File
	tell func(error)
	buf  []byte
	err  error
}

// Open opens the ledger at path for appending, and makes it if need be. tell hears, once, of the error that ends the writing; it must
// not record.
func Open(path string, tell func(error)) (*Ledger, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return &Ledger{f: f, tell: tell}, nil
}

// Record appends one entry with one write, so that a killed simulator leaves whole lines.
func (l *Ledger) Record(e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	l.buf = append(e.append(l.buf[:0]), '\n')
	if _, err := l.f.Write(l.buf); err != nil {
		l.err = fmt.Errorf("ledger: %w", err)
		l.tell(l.err)
	}
}

// Close closes the file and returns the first error of all its writes.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.err, l.f.Close())
}

func (e Entry) append(b []byte) []byte {
	b = strconv.AppendInt(b, e.Time.UnixMilli(), 10)
	b = append(b, '\t')
	b = append(b, e.Device...)
	b = append(b, '\t')
	if e.Quantity == "" {
		b = append(b, '-')
	}
	b = append(b, e.Quantity...)
	b = append(b, '\t')
	if e.Fault != "" {
		b = append(b, '!')
		return append(b, e.Fault...)
	}
	return strconv.AppendFloat(b, e.Value, 'g', -1, 64)
}

// Read reads a ledger to its end and calls f for each entry, until f returns an error. A last line without an end, as a
// power cut leaves it, is skipped.
func Read(in io.Reader, f func(Entry) error) error {
	r := bufio.NewReader(in)
	for n := 1; ; n++ {
		line, err := r.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("ledger: line %d: %w", n, err)
		}
		e, err := parse(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return fmt.Errorf("ledger: line %d: %w", n, err)
		}
		if err := f(e); err != nil {
			return err
		}
	}
}

func parse(line string) (Entry, error) {
	cells := strings.Split(line, "\t")
	if len(cells) != 4 || cells[1] == "" || cells[2] == "" {
		return Entry{}, fmt.Errorf("want four cells with tabs between, got %q", line)
	}
	ms, err := strconv.ParseInt(cells[0], 10, 64)
	if err != nil {
		return Entry{}, fmt.Errorf("time: %w", err)
	}
	e := Entry{Time: time.UnixMilli(ms).UTC(), Device: cells[1]}
	if cells[2] != "-" {
		e.Quantity = measure.Quantity(cells[2])
		if _, ok := e.Quantity.Info(); !ok {
			return Entry{}, fmt.Errorf("unknown quantity %q", cells[2])
		}
	}
	if why, ok := strings.CutPrefix(cells[3], "!"); ok {
		if why == "" {
			return Entry{}, errors.New("a fault without its name")
		}
		e.Fault = why
		return e, nil
	}
	if e.Value, err = strconv.ParseFloat(cells[3], 64); err != nil {
		return Entry{}, fmt.Errorf("value: %w", err)
	}
	if math.IsNaN(e.Value) || math.IsInf(e.Value, 0) {
		return Entry{}, errors.New("value: not a number")
	}
	return e, nil
}

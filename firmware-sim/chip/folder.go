package chip

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"aovuon/firmware-sim/fault"
)

// Folder keeps a real folder like the tree of a W1 bus, for a gateway in another process.
//
// Where the file system knows leases (Linux: ext4, tmpfs and others) opening a w1_slave starts a conversion and waits for it, as
// reading it does in the kernel. Elsewhere each refresh is a new conversion, put in place by a rename, so that a reader sees the old
// text or the new one and never half; a reading costs no time then. On Linux the ledger is told when the reader closes the file, with
// exactly what it read: a conversion whose asker is gone when it ends was no answer.
type Folder struct {
	w1     *W1
	dir    string
	leased bool
	watch  *readWatch
	ended  chan struct{}
	ending chan struct{}

	mu     sync.Mutex
	slaves map[*DS18B20]*slave
	closed bool
}

// slave is the folder of a chip that is plugged in.
type slave struct {
	rom  string
	file *os.File // the w1_slave in place, with a lease; nil without leases
}

// NewFolder takes dir (made if need be) for the tree of w1. Thermometers left there by an earlier run are removed.
func NewFolder(w1 *W1, dir string) (*Folder, error) { return newFolder(w1, dir, leases) }

// newFolder is NewFolder with the question whether there are leases.
func newFolder(w1 *W1, dir string, leases func(dir string) bool) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("chip: w1 folder: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("chip: w1 folder: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "28-") {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return nil, fmt.Errorf("chip: w1 folder: %w", err)
			}
		}
	}
	f := &Folder{w1: w1, dir: dir, leased: leases(dir), slaves: make(map[*DS18B20]*slave), ended: make(chan struct{}), ending: make(chan struct{})}
	if f.watch, err = newReadWatch(w1.now); err != nil {
		return nil, fmt.Errorf("chip: w1 folder %s: watch readers: %w", dir, err)
	}
	if f.leased {
		go f.serve()
	} else {
		close(f.ended)
	}
	return f, nil
}

// leases reports whether the file system of a folder knows them.
func leases(dir string) bool {
	file, err := os.CreateTemp(dir, ".lease-")
	if err != nil {
		return false
	}
	err = takeLease(file)
	return errors.Join(err, file.Close(), os.Remove(file.Name())) == nil
}

// Refresh makes the folders come and go as the chips do; without leases it also converts once and replaces every w1_slave. After
// Close it does nothing.
func (f *Folder) Refresh() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	var errs []error
	for _, c := range f.w1.chips {
		rom := c.ROM()
		s := f.slaves[c]
		if gone := c.fault(f.w1.faults) == fault.Unplug; s != nil && (gone || s.rom != rom) {
			errs = append(errs, f.pull(c, s))
			s = nil
			if gone {
				continue
			}
		} else if gone {
			continue
		}
		if s == nil || !f.leased {
			errs = append(errs, f.put(c, rom))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("chip: w1 folder: %w", err)
	}
	return nil
}

// put makes the folder of a chip, or replaces its text.
func (f *Folder) put(c *DS18B20, rom string) error {
	dir := filepath.Join(f.dir, rom)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// Made beside the folders, not in them: the kernel shows nothing but its own files there.
	fresh, s := filepath.Join(f.dir, ".fresh-"+rom), &slave{rom: rom}
	if f.leased {
		file, err := leased(fresh)
		if err != nil {
			return err
		}
		s.file = file
	} else {
		a := c.convert(f.w1.now(), f.w1.faults)
		if err := os.WriteFile(fresh, []byte(a.text), 0o644); err != nil {
			return err
		}
		if err := f.watch.add(fresh, c, a); err != nil {
			return err
		}
	}
	f.slaves[c] = s
	return os.Rename(fresh, filepath.Join(dir, slaveFile))
}

// leased makes an empty file whose readers wait for it.
func leased(path string) (*os.File, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	if err := takeLease(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// pull takes the folder of a chip away. Who waits for it reads nothing.
func (f *Folder) pull(c *DS18B20, s *slave) error {
	delete(f.slaves, c)
	err := os.RemoveAll(filepath.Join(f.dir, s.rom))
	if s.file == nil {
		return err
	}
	return errors.Join(err, s.file.Close())
}

// lookEvery is how often readers are looked for; a conversion takes thirty times as long.
const lookEvery = 25 * time.Millisecond

// serve answers those who wait for a w1_slave, one after the other, until Close.
func (f *Folder) serve() {
	defer close(f.ended)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		for _, c := range f.w1.chips {
			f.mu.Lock()
			s := f.slaves[c]
			waits := s != nil && awaited(s.file)
			f.mu.Unlock()
			if waits {
				f.say(c, s, f.w1.convert(c))
			}
		}
		select {
		case <-f.ending:
			return
		case <-tick.C:
		}
	}
}

// say gives those who wait their answer, unless the chip was pulled out meanwhile. Whoever comes later finds a new file and waits for
// an answer of his own.
func (f *Folder) say(c *DS18B20, s *slave, a answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.slaves[c] != s {
		return
	}
	// Closing lets them go on. If one of these fails, as on a full disk, they read what there is of the text, which is no scratchpad.
	_, err := s.file.WriteString(a.text)
	watched := f.watch.add(filepath.Join(f.dir, s.rom, slaveFile), c, a)
	if errors.Join(err, watched, f.put(c, s.rom), s.file.Close()) != nil {
		delete(f.slaves, c) // the next refresh puts it there anew
	}
}

// Run refreshes at once and then every so often until ctx is done. A refresh that fails is logged and tried again.
func (f *Folder) Run(ctx context.Context, every time.Duration, log *slog.Logger) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := f.Refresh(); err != nil {
			log.Warn("w1 folder not refreshed", slog.Any("err", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Close removes the thermometers: when nobody simulates them they are gone, not frozen.
func (f *Folder) Close() error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return nil
	}
	f.closed = true
	f.mu.Unlock()
	close(f.ending)
	<-f.ended
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for c, s := range f.slaves {
		if err := f.pull(c, s); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, f.watch.close())...)
}

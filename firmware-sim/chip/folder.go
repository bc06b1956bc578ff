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

// Folder keeps a real folder like the tree of a W1 bus, for a gateway in another process. Each refresh is a new
// conversion, put in place by a rename, so a reader sees the old text or the new one and never half. A reading costs no
// 750 ms here; that is the one thing a gateway could notice. On Linux each reading is written to the ledger when the
// reader closes the file, with exactly what it read.
type Folder struct {
	w1     *W1
	dir    string
	mu     sync.Mutex
	watch  *readWatch
	closed bool
}

// NewFolder takes dir (made if need be) for the tree of w1. Thermometers left there by an earlier run are removed.
func NewFolder(w1 *W1, dir string) (*Folder, error) {
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
	watch, err := newReadWatch(w1.now)
	if err != nil {
		return nil, fmt.Errorf("chip: w1 folder %s: watch readers: %w", dir, err)
	}
	return &Folder{w1: w1, dir: dir, watch: watch}, nil
}

// Refresh converts once and replaces every w1_slave; the folder of a chip that is unplugged vanishes. After Close it does
// nothing.
func (f *Folder) Refresh() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	now := f.w1.now()
	var errs []error
	for _, c := range f.w1.chips {
		dir := filepath.Join(f.dir, c.rom)
		if c.part.Faults.Kind() == fault.Unplug {
			errs = append(errs, os.RemoveAll(dir))
			continue
		}
		errs = append(errs, f.put(c, dir, c.convert(now)))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("chip: w1 folder: %w", err)
	}
	return nil
}

func (f *Folder) put(c *DS18B20, dir string, a answer) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// Made beside the folders, not in them: the kernel shows nothing but its own files there.
	fresh := filepath.Join(f.dir, ".fresh-"+c.rom)
	if err := os.WriteFile(fresh, []byte(a.text), 0o644); err != nil {
		return err
	}
	if err := f.watch.add(fresh, c, a); err != nil {
		return err
	}
	return os.Rename(fresh, filepath.Join(dir, slaveFile))
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
	defer f.mu.Unlock()
	f.closed = true
	var errs []error
	for _, c := range f.w1.chips {
		if err := os.RemoveAll(filepath.Join(f.dir, c.rom)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, f.watch.close())...)
}

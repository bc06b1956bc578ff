package sqldb

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// pulse asks the file system that a database lies on, after each commit, whether it still takes changes.
//
// SQLite commits when fsync says that the data is on the disk. While ext4 gives up (an error on the disk makes it read-only), it may say so of a
// transaction of its journal that it has just thrown away: seen on Linux 6.18 with a file system that was aborted under load, one group of
// batches in some 30 such moments. What is changed afterwards fails for certain, so nothing is acknowledged before a change went through. It
// needs no disk: a file without a name grows by a byte and shrinks again.
type pulse struct {
	mu   sync.Mutex
	file *os.File
	long bool
}

// newPulse makes one for the folder of a file.
func newPulse(path string) (*pulse, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".pulse-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, f.Close())
	}
	return &pulse{file: f}, nil
}

// beat fails where the file system takes no changes any more.
func (p *pulse) beat() error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	size := int64(1)
	if p.long {
		size = 0
	}
	if err := p.file.Truncate(size); err != nil {
		return fmt.Errorf("the disk takes no changes any more, so what it said of the last ones counts for nothing: %w", err)
	}
	p.long = !p.long
	return nil
}

func (p *pulse) close() error {
	if p == nil {
		return nil
	}
	if err := p.file.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return err
	}
	return nil
}

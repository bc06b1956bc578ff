package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// diskWatch finds out whether the disk of the data folder takes anything while nothing is recorded: a full disk would else be noticed only
// when the next batch comes, at night or after an outage. While batches are committed it does nothing, they are proof enough.
type diskWatch struct {
	dir     string
	end     func(context.Context) (int64, error) // of the batch log
	now     func() time.Time
	log     *slog.Logger
	last    int64 // -1 before the first look
	trouble atomic.Pointer[diskTrouble]
}

// diskTrouble is what is wrong with the disk, and since when that is known.
type diskTrouble struct {
	text  string
	since time.Time
}

const (
	probeEvery = 10 * time.Second
	// probeSize is more than a commit of one batch needs.
	probeSize = 64 << 10
	probeName = ".writable"
)

// run looks until ctx is done.
func (d *diskWatch) run(ctx context.Context) error {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		d.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (d *diskWatch) look(ctx context.Context) {
	end, err := d.end(ctx)
	committed := err == nil && d.last >= 0 && end != d.last
	if err == nil {
		d.last = end
	}
	if committed && d.trouble.Load() == nil {
		return
	}
	err = tryDisk(filepath.Join(d.dir, probeName))
	was := d.trouble.Load()
	switch {
	case err != nil && was == nil:
		d.log.Error("the disk of the data folder takes nothing", slog.Any("err", err))
		d.trouble.Store(&diskTrouble{text: diskWord(err), since: d.now()})
	case err == nil && was != nil:
		d.log.Info("the disk of the data folder can be written again")
		d.trouble.Store(nil)
	}
}

// tryDisk writes a file, has it on the disk, and takes it away again.
func tryDisk(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, probeSize))
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if rerr := os.Remove(path); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	return err
}

// diskWord says in words for everybody what is wrong: no paths.
func diskWord(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return "the disk is full"
	case errors.Is(err, syscall.EROFS):
		return "the disk is read-only"
	}
	return "the disk cannot be written"
}

// Trouble says what is wrong with the disk, empty while nothing is.
func (d *diskWatch) Trouble() string {
	if t := d.trouble.Load(); t != nil {
		return t.text
	}
	return ""
}

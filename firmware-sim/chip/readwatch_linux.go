package chip

import (
	"encoding/binary"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// readWatch tells the ledger of every reading of a w1_slave, by inotify: each text is a file of its own, so closing it
// says exactly which text was read.
type readWatch struct {
	now  func() time.Time
	fd   int
	file *os.File
	done chan struct{}
	left chan struct{} // holds one when a text has gone since it was looked at

	mu   sync.Mutex
	open map[int32]watched
}

// patience is how long a reader who still has a text open when the folder closes is waited for; reading one takes far less.
const patience = time.Second

type watched struct {
	chip   *DS18B20
	answer answer
}

func newReadWatch(now func() time.Time) (*readWatch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, err
	}
	w := &readWatch{
		now: now, fd: fd, file: os.NewFile(uintptr(fd), "inotify"), done: make(chan struct{}),
		left: make(chan struct{}, 1), open: make(map[int32]watched),
	}
	go w.run()
	return w, nil
}

// add watches the file at path, before anybody knows its name.
func (w *readWatch) add(path string, c *DS18B20, a answer) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	// The opening is watched only to stand between two closings: the kernel drops an event that equals the one before it,
	// and on a busy machine several readings wait here at once.
	wd, err := unix.InotifyAddWatch(w.fd, path, unix.IN_OPEN|unix.IN_CLOSE_NOWRITE)
	if err != nil {
		return err
	}
	w.open[int32(wd)] = watched{chip: c, answer: a}
	return nil
}

// run reads events until close. A file that was replaced and closed sends its last event, IN_IGNORED, by itself.
func (w *readWatch) run() {
	defer close(w.done)
	buf := make([]byte, 64<<10)
	for {
		n, err := w.file.Read(buf)
		if err != nil {
			return // closed
		}
		for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			wd := int32(binary.NativeEndian.Uint32(b))
			mask := binary.NativeEndian.Uint32(b[4:])
			b = b[unix.SizeofInotifyEvent+int(binary.NativeEndian.Uint32(b[12:])):]
			w.event(wd, mask)
		}
	}
}

func (w *readWatch) event(wd int32, mask uint32) {
	w.mu.Lock()
	seen, ok := w.open[wd]
	if mask&unix.IN_IGNORED != 0 {
		delete(w.open, wd)
	}
	w.mu.Unlock()
	if mask&unix.IN_IGNORED != 0 {
		select {
		case w.left <- struct{}{}:
		default:
		}
	}
	if ok && mask&unix.IN_CLOSE_NOWRITE != 0 {
		seen.chip.account(w.now(), seen.answer)
	}
}

// close waits until all who read a text have closed it, so that the ledger hears of them, and ends the watch. The texts are no longer in
// the folder: each goes with the last who has it open.
func (w *readWatch) close() error {
	late := time.NewTimer(patience)
	defer late.Stop()
	for waits := true; waits && w.reading(); {
		select {
		case <-w.left:
		case <-late.C:
			waits = false // somebody keeps one open for ever
		}
	}
	err := w.file.Close()
	<-w.done
	return err
}

// reading reports whether a text is still there.
func (w *readWatch) reading() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.open) > 0
}

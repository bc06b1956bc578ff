package chip

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"aovuon/gateway/sense/serial"
)

// terminal is the simulator's end of a pseudo-terminal. It holds the other end open, too: else every reader would end
// when the port's user closes it.
type terminal struct {
	name  string // device file of the user's end
	ours  *os.File
	theys *os.File
}

// openTerminal makes a pseudo-terminal that carries bytes as they are.
func openTerminal() (*terminal, error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/ptmx: %w", err)
	}
	ours := os.NewFile(uintptr(fd), "/dev/ptmx")
	err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	n, numErr := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err := errors.Join(err, numErr); err != nil {
		return nil, errors.Join(fmt.Errorf("pseudo-terminal: %w", err), ours.Close())
	}
	t := &terminal{name: fmt.Sprintf("/dev/pts/%d", n), ours: ours}
	if t.theys, err = os.OpenFile(t.name, os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		return nil, errors.Join(err, ours.Close())
	}
	if err := t.raw(); err != nil {
		return nil, errors.Join(fmt.Errorf("pseudo-terminal: %w", err), t.close())
	}
	return t, nil
}

// raw switches off what a terminal does with bytes for a person: above all the echo.
func (t *terminal) raw() error {
	return t.control(func(fd int) error {
		s, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
		if err != nil {
			return err
		}
		s.Iflag, s.Oflag, s.Lflag = 0, 0, 0
		s.Cflag = s.Cflag&^(unix.CBAUD|unix.CSIZE|unix.PARENB) | unix.CS8 | unix.CREAD | unix.CLOCAL | unix.BOTHER
		s.Ispeed, s.Ospeed = 9600, 9600
		s.Cc[unix.VMIN], s.Cc[unix.VTIME] = 1, 0
		return unix.IoctlSetTermios(fd, unix.TCSETS2, s)
	})
}

// settings are how the user has set his end.
func (t *terminal) settings() (line serial.Line, err error) {
	err = t.control(func(fd int) error {
		// A user that was killed leaves his end marked as his alone, and could not open it again.
		if err := unix.IoctlSetInt(fd, unix.TIOCNXCL, 0); err != nil {
			return err
		}
		s, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
		if err != nil {
			return err
		}
		line = readable(s.Ospeed, s.Cflag&unix.CSTOPB != 0)
		return nil
	})
	return line, err
}

// control runs f with the user's end.
func (t *terminal) control(f func(fd int) error) error {
	raw, err := t.theys.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}

// read waits for what the user sends; nothing in time is 0 and no error.
func (t *terminal) read(p []byte, wait time.Duration) (int, error) {
	if err := t.ours.SetReadDeadline(time.Now().Add(wait)); err != nil { //nolint:forbidigo // an I/O deadline, no reading's time
		return 0, err
	}
	n, err := t.ours.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	return n, err
}

// write sends to the user. What does not fit because nobody reads is lost, as it is at a port.
func (t *terminal) write(p []byte) error {
	if err := t.ours.SetWriteDeadline(time.Now().Add(time.Millisecond)); err != nil { //nolint:forbidigo // an I/O deadline, no reading's time
		return err
	}
	if _, err := t.ours.Write(p); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil
}

// wake ends a read that is under way, and those to come.
func (t *terminal) wake() {
	if err := t.ours.Close(); err != nil {
		return // it was closed already, and there is nobody left to tell
	}
}

func (t *terminal) close() error {
	err := t.ours.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	return errors.Join(err, t.theys.Close())
}

package modem

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fake is a modem at a pseudo-terminal, as its driver shows it: characters in, characters out.
type fake struct {
	t    *testing.T
	name string
	ours *os.File

	mu    sync.Mutex
	state string            // of the SIM
	pin   string            // that it takes
	says  map[string]string // command → what is said instead of the usual; "HANG": nothing
	seen  []string          // commands
	pdus  []string
	refs  int
	told  chan string // every command, as it comes
	wrong int         // PINs
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{t: t, state: "READY", says: map[string]string{}, told: make(chan string, 1000)}
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skip("no pseudo-terminals: ", err)
	}
	f.ours = os.NewFile(uintptr(fd), "ptmx")
	err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	n, numErr := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err := errors.Join(err, numErr); err != nil {
		t.Fatal(err)
	}
	f.name = fmt.Sprintf("/dev/pts/%d", n)
	t.Cleanup(f.unplug)
	// Until the other end is opened for the first time, reading fails; this end keeps it open.
	theirs, err := os.OpenFile(f.name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() }) //nolint:errcheck // the test is over
	go f.run()
	return f
}

// unplug takes the modem away.
func (f *fake) unplug() { f.ours.Close() } //nolint:errcheck // a second time

func (f *fake) channel(change ...func(*Options)) *Channel {
	f.t.Helper()
	o := Options{
		Open: OpenPort(f.name, 115200), Refused: f.t.TempDir() + "/refused", Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
		Poll: time.Millisecond, Seek: 3 * time.Millisecond, Watch: time.Hour, Quiet: time.Millisecond,
	}
	for _, c := range change {
		c(&o)
	}
	ch := New(o)
	f.t.Cleanup(func() { ch.Close() }) //nolint:errcheck // never fails
	return ch
}

func (f *fake) say(s string) {
	f.ours.WriteString(s) //nolint:errcheck // unplugged
}

func (f *fake) answers(command, answer string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.says[command] = answer
}

func (f *fake) run() {
	var buf []byte
	chunk := make([]byte, 256)
	for {
		n, err := f.ours.Read(chunk)
		if err != nil {
			return
		}
		buf = append(buf, chunk[:n]...)
		for {
			i := strings.IndexAny(string(buf), "\r\x1a\x1b")
			if i < 0 {
				break
			}
			word, end := string(buf[:i]), buf[i]
			buf = buf[i+1:]
			f.obey(word, end)
		}
	}
}

func (f *fake) obey(word string, end byte) {
	f.mu.Lock()
	f.seen = append(f.seen, word)
	other, ok := f.says[word]
	if !ok && strings.HasPrefix(word, "AT+CMGS=") {
		other, ok = f.says["AT+CMGS"]
	}
	if !ok && end == 0x1a {
		other, ok = f.says["TEXT"]
	}
	answer := f.usual(word, end)
	f.mu.Unlock()
	if ok {
		answer = other
	}
	if answer != "HANG" {
		f.say(answer)
	}
	f.told <- word
}

func (f *fake) usual(word string, end byte) string {
	const ok = "\r\nOK\r\n"
	switch {
	case end == 0x1b:
		return ok
	case end == 0x1a:
		f.pdus = append(f.pdus, word)
		f.refs++
		return fmt.Sprintf("\r\n+CMGS: %d\r\n", f.refs&0xff) + ok
	case strings.HasPrefix(word, "AT+CMGS="):
		return "\r\n> "
	case word == "AT":
		return "AT\r" + ok // with an echo
	case word == "AT+CPIN?":
		return "\r\n+CPIN: " + f.state + "\r\n" + ok
	case strings.HasPrefix(word, "AT+CPIN="):
		if word != `AT+CPIN="`+f.pin+`"` {
			f.wrong++
			return "\r\n+CME ERROR: 16\r\n"
		}
		f.state = "READY"
		return ok + "\r\n+CPIN: READY\r\n\r\nSMS Ready\r\n"
	case word == "AT+CREG?":
		return "\r\n+CREG: 0,1\r\n" + ok
	case word == "AT+CEREG?":
		return "\r\nERROR\r\n"
	case word == "AT+CSQ":
		return "\r\n^RSSI: 17\r\n\r\n+CSQ: 17,99\r\n" + ok
	case word == "AT+COPS?":
		return "\r\n+COPS: 0,0,\"Viettel\",7\r\n" + ok
	case word == "AT+CGMM":
		return "\r\nE3372\r\n" + ok
	}
	return ok
}

// commands returns what was asked so far, and forgets it.
func (f *fake) commands() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := strings.Join(f.seen, " ")
	f.seen = nil
	return s
}

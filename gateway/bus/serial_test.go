package bus_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	bugst "go.bug.st/serial"

	"aovuon/gateway/bus"
	"aovuon/gateway/sense/serial"
)

// device is a fake of the library's port.
type device struct {
	modes   []bugst.Mode
	written bytes.Buffer
	lot     int // bytes a write takes
	read    []byte
	err     error
	closed  bool
	waited  time.Duration
	wait    time.Duration
	hang    chan struct{} // not nil: reads and writes wait for its end
}

func (d *device) SetMode(m *bugst.Mode) error {
	d.modes = append(d.modes, *m)
	return d.err
}

func (d *device) SetReadTimeout(t time.Duration) error {
	d.wait = t
	return nil
}

func (d *device) Read(p []byte) (int, error) {
	if d.hang != nil {
		<-d.hang
	}
	d.waited += d.wait
	n := copy(p, d.read)
	d.read = d.read[n:]
	return n, d.err
}

func (d *device) Write(p []byte) (int, error) {
	if d.hang != nil {
		<-d.hang
	}
	if d.err != nil {
		return 0, d.err
	}
	return d.written.Write(p[:min(len(p), d.lot)])
}

func (d *device) Close() error {
	d.closed = true
	return nil
}

// adapter makes the devices behind a file.
type adapter struct {
	path    string
	devices []*device
	err     error
}

func newAdapter(t *testing.T) *adapter {
	t.Helper()
	a := &adapter{path: filepath.Join(t.TempDir(), "ttyUSB0")}
	a.plug(t)
	return a
}

func (a *adapter) plug(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(a.path+".new", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(a.path+".new", a.path); err != nil {
		t.Fatal(err)
	}
}

func (a *adapter) port() serial.Port {
	return bus.NewSerialPort(a.path, func(_ string, m *bugst.Mode) (bus.Device, error) {
		if a.err != nil {
			return nil, a.err
		}
		d := &device{modes: []bugst.Mode{*m}, lot: 2}
		a.devices = append(a.devices, d)
		return d, nil
	})
}

func line(baud int, p serial.Parity, stops int) serial.Line {
	return serial.Line{Baud: baud, Parity: p, StopBits: stops}
}

func write(text string) func(serial.Conn) error {
	return func(c serial.Conn) error { return c.Write([]byte(text)) }
}

func TestSerial_IsSetAsItsUserWants(t *testing.T) {
	a := newAdapter(t)
	p := a.port()
	for _, l := range []serial.Line{
		line(9600, serial.NoParity, 1), line(9600, serial.NoParity, 1), line(4800, serial.EvenParity, 1),
		line(19200, serial.OddParity, 2), line(9600, serial.NoParity, 1),
	} {
		if err := p.Use(t.Context(), l, write("hello")); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.devices) != 1 {
		t.Fatalf("opened %d times", len(a.devices))
	}
	d := a.devices[0]
	want := []bugst.Mode{
		{BaudRate: 9600, DataBits: 8},
		{BaudRate: 4800, DataBits: 8, Parity: bugst.EvenParity},
		{BaudRate: 19200, DataBits: 8, Parity: bugst.OddParity, StopBits: bugst.TwoStopBits},
		{BaudRate: 9600, DataBits: 8},
	}
	if len(d.modes) != len(want) {
		t.Fatalf("%+v", d.modes)
	}
	for i := range want {
		if d.modes[i] != want[i] {
			t.Errorf("%d: %+v, want %+v", i, d.modes[i], want[i])
		}
	}
	if got := d.written.String(); got != strings.Repeat("hello", 5) {
		t.Errorf("written in lots of two: %q", got)
	}
	if err := p.Use(t.Context(), serial.Line{Baud: 9600}, write("x")); err == nil {
		t.Error("a line of no parity at all")
	}
}

func TestSerial_ReadsWhatIsThereOrWaits(t *testing.T) {
	a := newAdapter(t)
	err := a.port().Use(t.Context(), line(9600, serial.NoParity, 1), func(c serial.Conn) error {
		d := a.devices[0]
		d.read = []byte{1, 2, 3}
		buf := make([]byte, 2)
		for _, want := range [][]byte{{1, 2}, {3}, {}} {
			n, err := c.Read(t.Context(), buf, 120*time.Millisecond)
			if err != nil || !bytes.Equal(buf[:n], want) {
				t.Errorf("% X, %v; want % X", buf[:n], err, want)
			}
		}
		d.waited = 0
		if n, err := c.Read(t.Context(), buf, 120*time.Millisecond); n != 0 || err != nil || d.waited != 120*time.Millisecond {
			t.Errorf("%d, %v after %v", n, err, d.waited)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.Read(ctx, buf, time.Hour)
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if a.devices[0].closed {
		t.Error("closed because a question was called off")
	}
}

func TestSerial_OpensAnewAfterItBroke(t *testing.T) {
	a := newAdapter(t)
	p, l := a.port(), line(9600, serial.NoParity, 1)
	if err := p.Use(t.Context(), l, write("x")); err != nil {
		t.Fatal(err)
	}
	a.devices[0].err = syscall.EIO
	err := p.Use(t.Context(), l, write("x"))
	if !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "plugged in") || !a.devices[0].closed {
		t.Errorf("%v, closed %v", err, a.devices[0].closed)
	}
	if err := p.Use(t.Context(), l, write("x")); err != nil || len(a.devices) != 2 {
		t.Errorf("%v, %d devices", err, len(a.devices))
	}
	// A USB adapter that was plugged in anew between two questions costs none.
	a.plug(t)
	if err := p.Use(t.Context(), l, write("y")); err != nil || len(a.devices) != 3 || !a.devices[1].closed || a.devices[2].written.String() != "y" {
		t.Errorf("%v, %d devices", err, len(a.devices))
	}
	// Settings that fail are a broken port, too.
	a.devices[2].err = io.ErrUnexpectedEOF
	if err := p.Use(t.Context(), line(4800, serial.NoParity, 1), write("z")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if err := p.Use(t.Context(), line(4800, serial.NoParity, 1), write("z")); err != nil || a.devices[3].modes[0].BaudRate != 4800 {
		t.Errorf("%v, %+v", err, a.devices[3].modes)
	}
}

func TestSerial_SaysHowToMend(t *testing.T) {
	a := newAdapter(t)
	for want, err := range map[string]error{
		"usermod -aG dialout": fs.ErrPermission, "ls /dev/serial/by-id": syscall.ENODEV, "I am odd": errors.New("I am odd"),
	} {
		a.err = err
		if got := a.port().Use(t.Context(), line(9600, serial.NoParity, 1), write("x")); !errors.Is(got, err) || !strings.Contains(got.Error(), want) || !strings.Contains(got.Error(), a.path) {
			t.Errorf("%v does not say %q", got, want)
		}
	}
	set := bus.NewSet(slog.New(slog.DiscardHandler))
	for path, want := range map[string]string{filepath.Join(t.TempDir(), "ttyUSB7"): "plug the adapter in", a.path: "is no serial port"} {
		p, err := set.Serial(path)
		if err != nil {
			t.Fatal(err) // it may come yet
		}
		if err := p.Use(t.Context(), line(9600, serial.NoParity, 1), write("x")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	if _, err := set.Serial(""); err == nil {
		t.Error("a port without a name")
	}
	one, err := set.Serial("/dev/ttyUSB0")
	if two, err2 := set.Serial("/dev/ttyUSB0"); one != two || err != nil || err2 != nil {
		t.Error("two ports of one name")
	}
	if err := set.Close(); err != nil {
		t.Error(err)
	}
	if err := one.Use(t.Context(), line(9600, serial.NoParity, 1), write("x")); !errors.Is(err, bus.ErrClosed) {
		t.Error(err)
	}
	if _, err := set.Serial("/dev/ttyUSB1"); !errors.Is(err, bus.ErrClosed) {
		t.Error(err)
	}
}

func TestSerial_OneAtATime(t *testing.T) {
	p, l := newAdapter(t).port(), line(9600, serial.NoParity, 1)
	inside := make(chan struct{})
	leave := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- p.Use(context.Background(), l, func(serial.Conn) error {
			close(inside)
			<-leave
			return nil
		})
	}()
	<-inside
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Use(ctx, l, write("x")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(leave)
	if err := errors.Join(<-done, p.Use(t.Context(), l, write("x"))); err != nil {
		t.Error(err)
	}
}

// A call that the system never ends costs its question some seconds, the next ones nothing, and nobody his port for good.
func TestSerial_OutlivesACallThatHangs(t *testing.T) {
	read := func(c serial.Conn) error {
		_, err := c.Read(context.Background(), make([]byte, 8), time.Millisecond)
		return err
	}
	for name, use := range map[string]func(serial.Conn) error{"read": read, "write": write("x")} {
		t.Run(name, func(t *testing.T) {
			a := newAdapter(t)
			synctest.Test(t, func(t *testing.T) {
				p, l := a.port(), line(9600, serial.NoParity, 1)
				if err := p.Use(t.Context(), l, write("x")); err != nil {
					t.Fatal(err)
				}
				hang := make(chan struct{})
				a.devices[0].hang = hang
				begin := time.Now()
				if err := p.Use(t.Context(), l, use); err == nil || !strings.Contains(err.Error(), "ModemManager") {
					t.Error(err)
				}
				if took := time.Since(begin); took > 5*time.Second {
					t.Errorf("took %v", took)
				}
				begin = time.Now()
				if err := p.Use(t.Context(), l, use); err == nil || time.Since(begin) > 0 {
					t.Errorf("while it hangs: %v after %v", err, time.Since(begin))
				}
				close(hang)
				synctest.Wait()
				if !a.devices[0].closed {
					t.Error("the device that hung is open")
				}
				if err := p.Use(t.Context(), l, use); err != nil || len(a.devices) != 2 {
					t.Errorf("afterwards: %v, %d devices", err, len(a.devices))
				}
			})
		})
	}
}

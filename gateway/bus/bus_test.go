package bus_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aovuon/gateway/bus"
	"aovuon/gateway/sense"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newSet(t *testing.T) *bus.Set {
	t.Helper()
	s := bus.NewSet(slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func TestI2C_RefusesNamesThatCanNeverWork(t *testing.T) {
	for _, name := range []string{"", "unix:", "tcp:127.0.0.1:1", "-1"} {
		if _, err := newSet(t).I2C(name); err == nil || !strings.Contains(err.Error(), "write") {
			t.Errorf("I2C(%q) = %v; want an error that says what to write", name, err)
		}
	}
}

func TestI2C_MissingBusSaysWhatWhereAndHowToMend(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct {
		name string
		want []string
	}{
		{"97", []string{"/dev/i2c-97", "does not exist", "dtparam=i2c_arm=on", "reboot"}},
		{"/dev/i2c-97", []string{"/dev/i2c-97", "dtparam=i2c_arm=on"}},
		{"I2C97", []string{"/dev/i2c-97", "dtparam=i2c_arm=on"}},
		{"ftdi-none", []string{"ftdi-none", `write "1"`}},
		{"unix:" + filepath.Join(dir, "none.sock"), []string{"none.sock", "firmware-sim serve"}},
	} {
		b, err := newSet(t).I2C(tc.name)
		if err != nil {
			t.Fatalf("I2C(%q): %v; a bus that is not there yet must not stop the program", tc.name, err)
		}
		err = b.Tx(0x61, []byte("R"), nil)
		if err == nil || errors.Is(err, sense.ErrNoAck) {
			t.Fatalf("%s: Tx = %v; want a bus error", tc.name, err)
		}
		for _, w := range tc.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: error does not say %q: %v", tc.name, w, err)
			}
		}
	}
}

func TestI2C_HangingHostDriverDoesNotStopTheOthers(t *testing.T) {
	var log bytes.Buffer
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	s := bus.NewSetWithInit(slog.New(slog.NewTextHandler(&log, nil)), func() error { <-hang; return nil }, time.Millisecond)
	b, err := s.I2C("97")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Tx(1, []byte{0}, nil); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("Tx = %v", err)
	}
	if !strings.Contains(log.String(), "did not start in time") {
		t.Errorf("log says nothing of the hanging driver: %s", &log)
	}
}

func TestI2C_FailedHostDriverIsLogged(t *testing.T) {
	var log bytes.Buffer
	s := bus.NewSetWithInit(slog.New(slog.NewTextHandler(&log, nil)), func() error { return errors.New("netlink gone") }, time.Minute)
	b, err := s.I2C("97")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Tx(1, []byte{0}, nil); err == nil {
		t.Error("Tx passed")
	}
	if !strings.Contains(log.String(), "netlink gone") {
		t.Errorf("log: %s", &log)
	}
}

func TestI2C_RefusesATransactionThatAsksNothing(t *testing.T) {
	b, err := newSet(t).I2C("97")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Tx(0x61, nil, nil); err == nil || !strings.Contains(err.Error(), "no bytes") {
		t.Errorf("Tx = %v", err)
	}
}

func TestSet_AnswersClosedAfterClose(t *testing.T) {
	s := bus.NewSet(slog.New(slog.DiscardHandler))
	b, err := s.I2C("1")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Tx(0x61, []byte("R"), nil); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("Tx = %v; want ErrClosed", err)
	}
	if _, err := s.I2C("2"); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("I2C = %v; want ErrClosed", err)
	}
	if _, err := s.W1("/x"); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("W1 = %v; want ErrClosed", err)
	}
}

func TestW1_ReadsThroughTheLinksOfSysfs(t *testing.T) {
	root := t.TempDir()
	device := filepath.Join(root, "devices", "w1_bus_master1", "28-0123456789ab")
	folder := filepath.Join(root, "bus")
	for _, d := range []string{device, folder} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(device, "w1_slave"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../devices/w1_bus_master1/28-0123456789ab", filepath.Join(folder, "28-0123456789ab")); err != nil {
		t.Fatal(err)
	}
	tree, err := newSet(t).W1(folder)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := fs.ReadFile(tree, "28-0123456789ab/w1_slave"); err != nil || string(b) != "hello" {
		t.Errorf("ReadFile = %q, %v", b, err)
	}
	if _, err := fs.ReadFile(tree, "../devices/w1_bus_master1/28-0123456789ab/w1_slave"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a path out of the folder: %v; want fs.ErrInvalid", err)
	}
	if _, err := fs.Stat(tree, "."); err != nil {
		t.Errorf("Stat(.) = %v", err)
	}
}

func TestW1_MissingFolderSaysHowToMendAndComesAlive(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "devices")
	tree, err := newSet(t).W1(folder)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fs.ReadFile(tree, "28-0123456789ab/w1_slave")
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "dtoverlay=w1-gpio") {
		t.Errorf("ReadFile = %v", err)
	}
	if _, err := tree.Open("."); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "dtoverlay=w1-gpio") {
		t.Errorf("Open(.) = %v", err)
	}
	if err := os.MkdirAll(filepath.Join(folder, "28-0123456789ab"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = fs.ReadFile(tree, "28-0123456789ab/w1_slave")
	if !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "dtoverlay") {
		t.Errorf("missing device is reported as a missing bus: %v", err)
	}
	if _, err := newSet(t).W1(""); err == nil {
		t.Error("W1 without a folder passed")
	}
}

package chip_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
	"aovuon/gateway/bus"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/rtu"
	"aovuon/server/parttest"
)

// The other end of a line is somebody else's: Debian's mbpoll (libmodbus) asks our units, our master asks pymodbus.

func TestRTU_MbpollReadsOurUnits(t *testing.T) {
	mbpoll := parttest.Tool(t, "mbpoll")
	b := newBench(t, false)
	m := b.unit(t, "am", 7, line(4800), 65530) // 65530, 65531, … 3
	b.unit(t, "khac", 8, line(9600), 500)
	run := func(args ...string) (string, error) {
		args = append([]string{"-m", "rtu", "-0", "-1", "-o", "0.5", "-P", "none", "-t", "4"}, args...)
		out, err := exec.CommandContext(t.Context(), mbpoll, args...).CombinedOutput()
		return string(out), err
	}
	values := func(out string) string {
		var list []string
		for _, m := range regexp.MustCompile(`(?m)^\[\d+\]:\s+(\d+)`).FindAllStringSubmatch(out, -1) {
			list = append(list, m[1])
		}
		return strings.Join(list, " ")
	}
	out, err := run("-a", "7", "-b", "4800", "-r", "4", "-c", "4", b.path)
	if err != nil || values(out) != "65534 65535 0 1" {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := run("-a", "7", "-b", "4800", "-r", "2", b.path, "4711"); err != nil || m.word(2) != 4711 {
		t.Errorf("a setting: %v, register is %d\n%s", err, m.word(2), out)
	}
	if out, err := run("-a", "8", "-b", "9600", "-r", "0", "-c", "2", b.path); err != nil || values(out) != "500 501" {
		t.Errorf("its neighbour at another speed: %v\n%s", err, out)
	}
	for name, tc := range map[string]struct {
		kind fault.Kind
		args []string
		says string
	}{
		"nobody's address": {fault.None, []string{"-a", "9", "-b", "4800", "-r", "0"}, "timed out"},
		"another speed":    {fault.None, []string{"-a", "7", "-b", "9600", "-r", "0"}, "timed out"},
		"no such register": {fault.None, []string{"-a", "7", "-b", "4800", "-r", "99"}, "Illegal data address"},
		"unplugged":        {fault.Unplug, []string{"-a", "7", "-b", "4800", "-r", "0"}, "timed out"},
		"a flipped bit":    {fault.CRC, []string{"-a", "7", "-b", "4800", "-r", "0"}, "Invalid CRC"},
		"an exception":     {fault.Exception, []string{"-a", "7", "-b", "4800", "-r", "0"}, "Slave device or server failure"},
	} {
		if err := b.board.Set("am", tc.kind); err != nil {
			t.Fatal(err)
		}
		if out, err := run(append(tc.args, b.path)...); err == nil || !strings.Contains(out, tc.says) {
			t.Errorf("%s: %v; want %q\n%s", name, err, tc.says, out)
		}
	}
}

func TestRTU_OurMasterReadsPymodbus(t *testing.T) {
	path, speed := pymodbus(t), line(9600)
	set := bus.NewSet(slog.New(slog.DiscardHandler))
	port, err := set.Serial(path)
	if err != nil {
		t.Fatal(err)
	}
	m := rtu.New(port, sense.NewSystemClock(sense.SystemClockOptions{AssumeSynced: true}))
	ask := func(unit byte, pdu ...byte) ([]byte, error) {
		// Python takes its time on a machine that has none to spare.
		return m.Do(t.Context(), rtu.Request{Line: speed, Unit: unit, PDU: pdu, Timeout: 5 * time.Second})
	}
	for name, tc := range map[string]struct{ pdu, want []byte }{
		"holding registers":    {[]byte{3, 0, 2, 0, 2}, []byte{3, 4, 0, 102, 0, 103}},
		"input registers":      {[]byte{4, 0, 9, 0, 1}, []byte{4, 2, 0, 209}},
		"coils":                {[]byte{1, 0, 1, 0, 9}, []byte{1, 2, 0x55, 1}},
		"one register is set":  {[]byte{6, 0, 7, 0x12, 0x34}, []byte{6, 0, 7, 0x12, 0x34}},
		"two registers are":    {[]byte{0x10, 0, 8, 0, 2, 4, 0, 1, 0, 2}, []byte{0x10, 0, 8, 0, 2}},
		"one coil is set":      {[]byte{5, 0, 0, 0xFF, 0}, []byte{5, 0, 0, 0xFF, 0}},
		"mask of a register":   {[]byte{0x16, 0, 0, 0, 0xF2, 0, 0x25}, []byte{0x16, 0, 0, 0, 0xF2, 0, 0x25}},
		"set, read in one go":  {[]byte{0x17, 0, 1, 0, 1, 0, 5, 0, 1, 2, 0, 9}, []byte{0x17, 2, 0, 101}},
		"diagnostics, to echo": {[]byte{8, 0, 0, 0xA5, 0x37}, []byte{8, 0, 0, 0xA5, 0x37}},
	} {
		if got, err := ask(17, tc.pdu...); err != nil || !bytes.Equal(got, tc.want) {
			t.Errorf("%s: % X, %v; want % X", name, got, err, tc.want)
		}
	}
	if got, err := ask(17, 3, 0, 7, 0, 3); err != nil || !bytes.Equal(got, []byte{3, 6, 0x12, 0x34, 0, 1, 0, 2}) {
		t.Errorf("what was set: % X, %v", got, err)
	}
	if _, err := ask(17, 3, 0, 99, 0, 1); reason(err) != measure.Refused || !errors.Is(err, rtu.IllegalDataAddress) {
		t.Errorf("no such register: %v", err)
	}
	if _, err := m.Do(t.Context(), rtu.Request{Line: speed, Unit: 18, PDU: []byte{3, 0, 0, 0, 1}}); reason(err) != measure.NoResponse {
		t.Errorf("nobody: %v", err)
	}
	if err := set.Close(); err != nil {
		t.Error(err)
	}
}

// pymodbus starts the slave of testdata at one end of a null modem and returns the other.
func pymodbus(t *testing.T) (path string) {
	t.Helper()
	const python = "/usr/bin/python3" // Debian's own, which has Debian's packages
	const needs = "import pymodbus.server.async_io, pymodbus.framer.rtu_framer"
	if out, err := exec.CommandContext(t.Context(), python, "-c", needs).CombinedOutput(); err != nil {
		t.Logf("%v: %s", err, out)
		parttest.Missing(t, "pymodbus 3.0", "apt-get install python3-pymodbus python3-serial-asyncio")
	}
	ours, theirs := chip.NullModem(t)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), python, filepath.Join("testdata", "slave.py"), theirs, "9600")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
			t.Logf("pymodbus: %v\n%s", err, said.String())
		}
	})
	if s := bufio.NewScanner(out); !s.Scan() || s.Text() != "ready" {
		t.Fatalf("pymodbus is not ready: %q, %v\n%s", s.Text(), s.Err(), said.String())
	}
	return ours
}

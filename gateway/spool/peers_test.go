package spool_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/spool"
	"aovuon/server/parttest"
)

// Where the queues of others break, each case under its own name: Telegraf 1.39.0's disk buffer and paho.mqtt.golang
// 1.5.1's file store.

// TestTelegraf_LastThreeBytesCutOff: Telegraf refuses to start ("you have to manually delete the wal").
func TestTelegraf_LastThreeBytesCutOff(t *testing.T) {
	f := cutOff(t, false)
	f.log = f.log[:len(f.log)-3]
	held, _ := f.start(t, newPath(t), "three bytes less")
	if len(held) < 20 || !slices.Equal(held, upTo(uint64(len(held)))) {
		t.Errorf("held %v", held)
	}
}

// TestTelegraf_SixtyFourZeroBytesAppended: Telegraf panics ("failed to decode metric from bytes: EOF").
func TestTelegraf_SixtyFourZeroBytesAppended(t *testing.T) {
	f := cutOff(t, false)
	f.log = append(f.log, make([]byte, 64)...)
	if held, _ := f.start(t, newPath(t), "64 zeroes"); !slices.Equal(held, upTo(30)) {
		t.Errorf("held %v", held)
	}
}

// TestTelegraf_OneBitFlipped: Telegraf does not notice, its log has no checksum per record.
func TestTelegraf_OneBitFlipped(t *testing.T) {
	f := cutOff(t, true)
	at := bytes.LastIndex(f.db, number(27)) + 7
	f.db[at] ^= 64 // 27 becomes 91
	held, told := f.start(t, newPath(t), "one bit")
	if !told || len(held) == 30 || slices.Contains(held, 27) {
		t.Errorf("told: %v, held %v", told, held)
	}
}

// TestPaho_FullDiskPanics: paho's store panics within Publish. Here it is an error, and sampling goes on.
func TestPaho_FullDiskPanics(t *testing.T) {
	dir := t.TempDir()
	parttest.Disk(t, dir, "2")
	s, _, err := spool.Open(t.Context(), filepath.Join(dir, "spool.db"), at(noon))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 4<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	if err := s.Add(t.Context(), [][]byte{number(1)}); err == nil {
		t.Error("a full disk took a record")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestPaho_ClockSteppedBackBetweenTwoWrites: paho orders its messages by the files' dates and turns them around.
func TestPaho_ClockSteppedBackBetweenTwoWrites(t *testing.T) {
	path := newPath(t)
	for i, now := range []time.Time{noon, noon.AddDate(-3, 0, 0), noon.AddDate(5, 0, 0)} {
		s, _, err := spool.Open(t.Context(), path, at(now))
		if err != nil {
			t.Fatal(err)
		}
		mustAdd(t, s, uint64(i)+1, uint64(i)+1)
		if i == 1 {
			mustSeal(t, s, 1)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now, now); err != nil {
			t.Fatal(err)
		}
	}
	s, _ := mustOpen(t, path)
	if d := cmp.Diff(upTo(3), everything(t, s)); d != "" {
		t.Error(d)
	}
}

// TestPaho_ZeroLengthFile: paho renames it and goes on with a warning in the log. Here the loss is declared.
func TestPaho_ZeroLengthFile(t *testing.T) {
	f := cutOff(t, true)
	f.db = nil
	if held, told := f.start(t, newPath(t), "an empty file"); !told || len(held) != 0 {
		t.Errorf("told: %v, held %v", told, held)
	}
}

package bulletin_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aovuon/server/channel/bulletin"
	"aovuon/server/watch/notify"
)

func message(n int) notify.Message {
	return notify.Message{
		ID: fmt.Sprintf("01JDMESSAGE%06d", n), Kind: notify.Bulletin, To: "Thon-Phu-Khe", Subject: "Bản tin đồng ruộng", Text: "Thưa bà con,\nđêm nay ao số 1 dễ thiếu ôxy.\n",
		Created: time.Date(2026, 11, 26, 22, 0, n, 0, time.UTC),
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestSend_WhatIsReadAloud(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "loa")
	c := bulletin.New(dir)
	ref, err := c.Send(t.Context(), message(1))
	if err != nil || ref != "thon-phu-khe-20261127-0500-000001.txt" {
		t.Fatal(ref, err)
	}
	const want = "\ufeffBản tin đồng ruộng\r\n\r\nThưa bà con,\r\nđêm nay ao số 1 dễ thiếu ôxy.\r\n"
	for _, name := range []string{"thon-phu-khe.txt", ref} {
		if got := read(t, filepath.Join(dir, name)); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	// Again, as after a crash: the same files.
	if again, err := c.Send(t.Context(), message(1)); err != nil || again != ref {
		t.Error(again, err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 2 {
		t.Errorf("%v %v", list, err)
	}
}

func TestSend_OldCopiesGoAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	c := bulletin.New(dir)
	for _, name := range []string{"thon-phu-khe-ghi-chu.txt", "thon-phu-khe-2-20261127-0500-000001.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for n := range bulletin.Keep + 5 {
		m := message(0)
		m.ID, m.Created = fmt.Sprintf("01JDMESSAGE%06d", n), m.Created.Add(time.Duration(n)*time.Minute)
		if _, err := c.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != bulletin.Keep+1+2 {
		t.Errorf("%d files, %v", len(list), err)
	}
	if _, err := os.Stat(filepath.Join(dir, "thon-phu-khe-20261127-0505-000005.txt")); err != nil {
		t.Error(err)
	}
}

func TestSend_NamesAndFoldersThatAreNone(t *testing.T) {
	c := bulletin.New(t.TempDir())
	for _, to := range []string{"", "../etc/passwd", "thôn", "a b", "a/b", "-x", ".txt"} {
		m := message(1)
		m.To = to
		if _, err := c.Send(t.Context(), m); !errors.Is(err, notify.ErrPermanent) {
			t.Errorf("%q: %v", to, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bulletin.New(file).Send(t.Context(), message(1)); err == nil || errors.Is(err, notify.ErrPermanent) {
		t.Errorf("a folder that is a file: %v", err) // the stick comes back
	}
}

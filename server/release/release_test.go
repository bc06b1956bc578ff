package release_test

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/release"
)

func key(t *testing.T) (note.Signer, note.Verifier) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, "aovuon-release")
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

// offer writes a program and its release, as their maker does, and returns the release's path.
func offer(t *testing.T, signer note.Signer, version, platform string, program []byte) string {
	t.Helper()
	sealed, err := wire.SealRelease(wire.Release{
		Program: wire.GatewayProgram, Version: wire.Version(version), Platform: platform, Size: int64(len(program)), SHA256: sha256.Sum256(program), Spool: 1,
		Made: time.Unix(1_795_000_000, 0).UTC(), Until: time.Unix(1_820_000_000, 0).UTC(),
	}, signer)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "gateway")
	for name, data := range map[string][]byte{path: program, path + ".release": sealed} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path + ".release"
}

func TestShelf_KeepsWhatBelongsTogether(t *testing.T) {
	signer, v := key(t)
	other, _ := key(t)
	shelf := release.NewShelf(filepath.Join(t.TempDir(), "releases"))
	if list, err := shelf.List(); err != nil || list != nil {
		t.Errorf("an empty shelf: %v %v", list, err)
	}
	program := bytes.Repeat([]byte("program "), 10_000)
	good := offer(t, signer, "1.9", "linux/arm64", program)
	for range 2 { // again changes nothing
		if r, err := shelf.Add(good, []note.Verifier{v}); err != nil || r.Version != "1.9" {
			t.Fatalf("%+v %v", r, err)
		}
	}
	if _, err := shelf.Add(offer(t, signer, "1.10", "linux/arm", program), nil); err != nil {
		t.Fatal(err)
	}
	changed := offer(t, signer, "2.0", "linux/arm64", program)
	if err := os.WriteFile(strings.TrimSuffix(changed, ".release"), program[1:], 0o600); err != nil {
		t.Fatal(err)
	}
	alone := offer(t, signer, "2.1", "linux/arm64", program)
	if err := os.Remove(strings.TrimSuffix(alone, ".release")); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"a program that was changed":          changed,
		"no program beside it":                alone,
		"a program in the place of a release": strings.TrimSuffix(good, ".release"),
		"another maker":                       offer(t, other, "2.2", "linux/arm64", program),
		"another program of a version":        offer(t, signer, "1.9", "linux/arm64", []byte("another")),
		"no such file":                        filepath.Join(t.TempDir(), "x.release"),
	} {
		if r, err := shelf.Add(path, []note.Verifier{v}); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
	list, err := shelf.List()
	if err != nil || len(list) != 2 || list[0].Version != "1.10" || list[1].Version != "1.9" {
		t.Errorf("%+v %v", list, err)
	}
	if _, err := shelf.Has("1.8"); err == nil || !strings.Contains(err.Error(), "1.10 1.9") {
		t.Errorf("a version that is not there: %v", err)
	}
	if err := shelf.Remove("../.."); err == nil {
		t.Error("a path is no version")
	}
	if err := shelf.Remove("1.9"); err != nil {
		t.Error(err)
	}
	if _, err := shelf.Has("1.9"); err == nil {
		t.Error("it was removed")
	}
}

func TestHandler_HandsOutRangesAndNothingElse(t *testing.T) {
	signer, _ := key(t)
	dir := t.TempDir()
	shelf := release.NewShelf(filepath.Join(dir, "releases"))
	program := make([]byte, 200_000)
	if _, err := rand.Read(program); err != nil {
		t.Fatal(err)
	}
	if _, err := shelf.Add(offer(t, signer, "1.9+a.b-c", "linux/arm64", program), nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "server.key"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	var sent atomic.Int64
	web := httptest.NewServer(shelf.Handler(func(n int) { sent.Add(int64(n)) }))
	defer web.Close()
	get := func(path, span string) (int, []byte) {
		t.Helper()
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if span != "" {
			q.Header.Set("Range", span)
		}
		res, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, body
	}
	_, first := get("/releases/1.9+a.b-c/linux-arm64.gz", "bytes=0-99999")
	status, rest := get("/releases/1.9+a.b-c/linux-arm64.gz", "bytes=100000-")
	if status != http.StatusPartialContent {
		t.Errorf("status %d", status)
	}
	z, err := gzip.NewReader(bytes.NewReader(append(first, rest...)))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, program) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if want := int64(len(first) + len(rest)); sent.Load() != want {
		t.Errorf("%d bytes counted, %d sent", sent.Load(), want)
	}
	if status, body := get("/releases/1.9+a.b-c/linux-arm64.release", ""); status != http.StatusOK || !bytes.HasPrefix(body, []byte("aovuon/release/1\n")) {
		t.Errorf("%d %q", status, body)
	}
	for _, path := range []string{
		"/releases/", "/releases/1.9+a.b-c/", "/releases/1.9+a.b-c", "/releases/1.9/linux-arm64.gz", "/releases/1.9+a.b-c/linux-arm64", "/releases/1.9+a.b-c/linux-arm.gz",
		"/releases/1.9+a.b-c/../../server.key", "/releases/../server.key", "/releases/..%2f..%2fserver.key", "/releases/1.9+a.b-c/..%2f..%2f..%2fserver.key", "/releases/1.9+a.b-c/%00.gz",
	} {
		if status, body := get(path, ""); status != http.StatusNotFound || bytes.Contains(body, []byte("secret")) {
			t.Errorf("%s: %d %.50q", path, status, body)
		}
	}
}

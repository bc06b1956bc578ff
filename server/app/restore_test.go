package app_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"aovuon/server/parttest"
	"aovuon/server/sqldb/sqldbtest"
)

// Root restores what another user's server will run on: into that user's folder, or where there is none yet, as the configured one's.
func TestRestore_ByRootIsHandedToTheServersUser(t *testing.T) {
	sqldbtest.OnSQLiteOnly(t, "files are what is handed over")
	if os.Geteuid() != 0 {
		parttest.Missing(t, "root", "run as root: files are given to another user")
	}
	const user = 4242
	p := newProcess(t, "{ engine: sqlite }", "")
	p.once("backup", "--plain", "--no-drill", "--to", p.path("copy.tar.zst"))
	data, fresh := p.path("data"), p.path("fresh")
	if err := errors.Join(os.Remove(filepath.Join(data, "server.lock")), os.Chown(data, user, user)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if out, err := p.command("restore", p.path("copy.tar.zst"), "--to", data).CombinedOutput(); err == nil {
		t.Fatalf("over what is there, without a word:\n%s", out)
	}
	if got := whose(t, filepath.Join(data, "server.lock")); got != user {
		t.Errorf("a restore that was refused leaves a lock of user %d: the server could not open it", got)
	}
	p.once("restore", p.path("copy.tar.zst"), "--to", fresh)
	p.once("restore", p.path("copy.tar.zst"), "--to", data, "--replace")
	for _, dir := range []string{data, fresh} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if got := whose(t, path); got != user {
				t.Errorf("%s belongs to user %d", path, got)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// whose is whose a file is.
func whose(t *testing.T, path string) uint32 {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		t.Fatalf("%s: no owner", path)
	}
	return st.Uid
}

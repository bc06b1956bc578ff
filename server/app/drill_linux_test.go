package app_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aovuon/server/parttest"
	"aovuon/server/sqldb/sqldbtest"
)

// Root tries a backup with a key that root alone may read: the program becomes the user whom the data belongs to only once it has both.
func TestDrill_ByRootReadsWhatRootMay(t *testing.T) {
	sqldbtest.OnSQLiteOnly(t, "whose the files are is what counts")
	if os.Geteuid() != 0 {
		parttest.Missing(t, "root", "run as root: files are given to another user")
	}
	unshare := parttest.Tool(t, "unshare")
	const user = 4242
	p := newProcess(t, "{ engine: sqlite }", "")
	data := p.path("data")
	p.amend("data_dir: " + data)
	p.amend("backup: { recipients_file: " + p.path("backup.keys") + " }")
	key, copied := p.path("root/key.txt"), p.path("root/copy.tar.zst.age")
	secret, err := p.command("backup", "key").Output()
	err = errors.Join(err, os.Mkdir(p.path("root"), 0o700), os.WriteFile(key, secret, 0o600),
		os.Chmod(filepath.Dir(p.dir), 0o755)) //nolint:gosec // the other user must come to its folder
	if err != nil {
		t.Fatal(err)
	}
	p.once("backup", "--no-drill", "--to", copied)
	if out, err := exec.CommandContext(t.Context(), "chown", "-R", fmt.Sprintf("%d:%d", user, user), data).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// As a package leaves it, in a /etc of its own: for that configuration alone root becomes somebody else.
	cmd := exec.CommandContext(t.Context(), unshare, "--mount", "sh", "-ec", `mount -t tmpfs none /etc
install -D -m 0644 server.yaml /etc/aovuon-server/server.yaml
rm server.yaml
exec "$@"`, "sh", os.Args[0], "backup", "drill", copied, "--identity", key)
	cmd.Dir, cmd.Env = p.dir, append(os.Environ(), asServer+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "agree with the signed head") {
		t.Errorf("%v\n%s", err, out)
	}
	if got := whose(t, filepath.Join(data, "drill.lock")); got != user {
		t.Errorf("the lock of the drill belongs to user %d: the server could not open it", got)
	}
}

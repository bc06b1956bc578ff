package install_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aovuon/server/parttest"
)

// The gateway for a Raspberry Pi, packed twice: in two places, under two umasks, in two time zones. What differs is a difference between two people who
// want to know whether a package is what the source says. `make pi` builds the same, so little is compiled for it; .ci/dist-twice does it for everything.
func TestDist_SameBytesAnywhere(t *testing.T) {
	parttest.Tool(t, "dpkg-deb")
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var outs, clones [2]string
	for i, place := range []string{"one", "another/and longer"} {
		dir := t.TempDir()
		outs[i], clones[i] = filepath.Join(dir, "out"), filepath.Join(dir, place)
		// Clones, both: Go writes the commit into what it builds in one, and not in a linked worktree.
		distRun(t, root, "git", "clone", "-q", root, clones[i])
		carry(t, root, clones[i])
		shareTools(t, root, clones[i])
	}
	pack(t, clones[0], outs[0], "umask 022; export TZ=UTC")
	pack(t, clones[1], outs[1], "umask 077; export TZ=Asia/Ho_Chi_Minh")

	sums := string(distFile(t, outs[0], "SHA256SUMS"))
	if other := string(distFile(t, outs[1], "SHA256SUMS")); other != sums {
		t.Errorf("the same source gave\n%s\nand\n%s", sums, other)
	}
	lines := strings.Split(strings.TrimSpace(sums), "\n")
	if len(lines) != 3 {
		t.Errorf("%d files, want package, archive and bill of materials:\n%s", len(lines), sums)
	}
	for _, line := range lines {
		sum, name, _ := strings.Cut(line, "  ")
		if got := fmt.Sprintf("%x", sha256.Sum256(distFile(t, outs[0], name))); got != sum {
			t.Errorf("%s: SHA256SUMS says %s, it is %s", name, sum, got)
		}
	}
	lint(t, filepath.Join(outs[0], "aovuon-gateway_1.2+test_arm64.deb"), clones[0])
	materials(t, distFile(t, outs[0], "aovuon-gateway_1.2+test_linux_arm64.cdx.json"))
}

// pack has the gateway for a 64-bit Raspberry Pi made from a folder.
func pack(t *testing.T, from, out, shell string) {
	t.Helper()
	distRun(t, from, "env", "DIST="+out, "DIST_VERSION=1.2+test", "DIST_ARCHS=arm64", "DIST_PROGRAMS=gateway", "sh", "-c", shell+"; exec .ci/dist")
}

// shareTools has the tools of .ci/dist built once.
func shareTools(t *testing.T, root, clone string) {
	t.Helper()
	tools := filepath.Join(root, ".bin/tools")
	if err := os.MkdirAll(tools, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(clone, ".bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(tools, filepath.Join(clone, ".bin/tools")); err != nil {
		t.Fatal(err)
	}
}

// carry brings what was not committed yet into a clone, so that it is this tree that is tested.
func carry(t *testing.T, from, to string) {
	t.Helper()
	diff := exec.Command("git", "diff", "--binary", "HEAD")
	diff.Dir = from
	patch, err := diff.Output()
	if err != nil {
		t.Fatal(err)
	}
	if len(patch) == 0 {
		return
	}
	apply := exec.Command("git", "apply")
	apply.Dir, apply.Stdin = to, bytes.NewReader(patch)
	if said, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("git apply: %v\n%s", err, said)
	}
}

// lint is what makes Debian's own checker speak up and would hurt a user: files of others, modes, scripts that do not parse, a program of the wrong
// processor, places of the builder's machine.
func lint(t *testing.T, deb, root string) {
	t.Helper()
	tree := t.TempDir()
	distRun(t, root, "dpkg-deb", "--raw-extract", deb, tree)
	for _, script := range []string{"postinst", "prerm", "postrm"} {
		distRun(t, root, "sh", "-n", filepath.Join(tree, "DEBIAN", script))
	}
	control := string(distFile(t, tree, "DEBIAN/control"))
	for _, want := range []string{"Package: aovuon-gateway\n", "Version: 1.2+test\n", "Architecture: arm64\n", "Depends: systemd, udev\n", "Maintainer: ", "Description: AoVuon gateway: "} {
		if !strings.Contains(control, want) {
			t.Errorf("control does not say %q:\n%s", want, control)
		}
	}
	// Long names of modes, owners and places, as dpkg will put them.
	ok := regexp.MustCompile(`^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x) root/root +\d+ \S+ \S+ \./(usr/(bin/gateway|lib/\S*|share/\S*)?|usr/bin/)?$`)
	var programs []string
	for line := range strings.Lines(distRun(t, root, "dpkg-deb", "--contents", deb)) {
		line = strings.TrimSuffix(line, "\n")
		if !ok.MatchString(line) {
			t.Errorf("a file that a package should not bring, or not so: %s", line)
		}
		if strings.HasPrefix(line, "-rwx") {
			programs = append(programs, line[strings.LastIndex(line, "./")+2:])
		}
	}
	if want := []string{"usr/bin/gateway", "usr/lib/aovuon/readonly.sh", "usr/lib/aovuon/usb-claim"}; strings.Join(programs, " ") != strings.Join(want, " ") {
		t.Errorf("programs are %v, want %v", programs, want)
	}
	program := distFile(t, tree, "usr/bin/gateway")
	if bytes.Contains(program, []byte(root)) {
		t.Errorf("the program names the folder it was built in: %s", root)
	}
	if len(program) < 20 || !bytes.HasPrefix(program, []byte("\x7fELF\x02\x01")) || program[18] != 183 { // EM_AARCH64
		t.Error("the program is none of a 64-bit ARM")
	}
	qemu := parttest.Tool(t, "qemu-aarch64-static")
	if said := distRun(t, root, qemu, filepath.Join(tree, "usr/bin/gateway"), "sample", "--box"); !strings.Contains(said, "data_dir: /var/lib/aovuon\n") {
		t.Errorf("on its own processor it prints\n%s", said)
	}
}

// materials checks a bill of materials: the program, and everything that go.mod says is linked into it, by name and version.
func materials(t *testing.T, raw []byte) {
	t.Helper()
	var bill struct {
		Format     string `json:"bomFormat"`
		Components []struct {
			Name    string `json:"name"`
			Version string `json:"version"`
			Purl    string `json:"purl"`
		} `json:"components"`
	}
	if err := json.Unmarshal(raw, &bill); err != nil || bill.Format != "CycloneDX" {
		t.Fatalf("not a CycloneDX file: %v: %.200s", err, raw)
	}
	named := map[string]bool{}
	for _, c := range bill.Components {
		named[c.Name] = true
		if c.Version == "" || !strings.HasPrefix(c.Purl, "pkg:golang/") {
			t.Errorf("%s has version %q and address %q", c.Name, c.Version, c.Purl)
		}
	}
	for _, want := range []string{"std", "modernc.org/sqlite", "periph.io/x/conn/v3"} {
		if !named[want] {
			t.Errorf("the bill of materials does not name %s", want)
		}
	}
}

func distRun(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir = dir
	said, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, said)
	}
	return string(said)
}

func distFile(t *testing.T, dir, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

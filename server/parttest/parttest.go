// Package parttest starts the real parts that tests talk to: Mosquitto, InfluxDB 1.8, PostgreSQL, Chromium and small
// tools. It is to this product's neighbours what net/http/httptest is to HTTP.
//
// A test comes in; an address of a live part goes out. Each part listens on loopback or a Unix socket only, keeps its data
// in a temporary folder, is ready when the function returns, is ended by its own process id when the test ends (and by the
// kernel, on Linux, should the test binary be killed), and shows its log when the test failed. Kill is SIGKILL: what a
// power cut leaves of a process.
//
// Beside parts there is what tests on them need: a disk that fills up (Disk), a browser, a thumb and axe (Browser, Click, Axe),
// waiting for what nobody announces (Await, Until).
//
// A part that is not installed skips the test aloud, naming the part and how to install it. With AOVUON_REQUIRE=all it
// fails the test instead.
package parttest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// requireEnv names the environment variable that turns a missing part from a skip into a failure.
const requireEnv = "AOVUON_REQUIRE"

// binEnv names the environment variable that holds the folder with binaries the project built itself.
const binEnv = "AOVUON_BIN"

// Missing ends the test because part is not installed: a skip, or with AOVUON_REQUIRE=all a failure.
func Missing(t testing.TB, part, install string) {
	t.Helper()
	text := fmt.Sprintf("MISSING PART: %s is not installed here; to run this test: %s", part, install)
	if os.Getenv(requireEnv) == "all" {
		t.Fatalf("%s (%s=all)", text, requireEnv)
	}
	t.Skip(text)
}

// Tool returns the path of a program that the test runs itself, such as zbarimg.
func Tool(t testing.TB, name string) string {
	t.Helper()
	if path, ok := find(name); ok {
		return path
	}
	Missing(t, name, installHint(name))
	return ""
}

// Chromium returns the path of a Chromium or Chrome browser. Start it with ChromiumFlags.
func Chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, ok := find(name); ok {
			return path
		}
	}
	Missing(t, "chromium", installHint("chromium"))
	return ""
}

// ChromiumFlags returns the flags under which Chromium runs without a screen, without its own traffic, and as root in a
// container, with a fresh profile that goes with the test.
func ChromiumFlags(t testing.TB) []string {
	t.Helper()
	return []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		// What is loaded can be tapped: Chromium drops what comes before the first frame is drawn, which a busy machine is late with, and
		// what is tapped stays where it was found while the page scrolls there.
		"--allow-pre-commit-input", "--force-prefers-reduced-motion",
		"--user-data-dir=" + tempDir(t, "aovuon-chromium-"),
	}
}

// find looks for a program in $AOVUON_BIN, in .bin/ of the repository, on PATH, and where Debian hides it.
func find(name string) (string, bool) {
	var places []string
	if dir := os.Getenv(binEnv); dir != "" {
		places = append(places, filepath.Join(dir, name))
	}
	if root, ok := repository(); ok {
		places = append(places, filepath.Join(root, ".bin", name))
	}
	for _, p := range places {
		if runnable(p) {
			return p, true
		}
	}
	if p, err := exec.LookPath(name); err == nil {
		return p, true
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin", "/opt/homebrew/sbin"} {
		if p := filepath.Join(dir, name); runnable(p) {
			return p, true
		}
	}
	return "", false
}

func runnable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// repository returns the folder of go.mod above the working directory, which for a test is its package's folder.
func repository() (string, bool) {
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, true
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", false
		}
		dir = up
	}
}

// installHint says how to get a program on Debian.
func installHint(name string) string {
	switch name {
	case "influxd":
		return "make influxd"
	case "mosquitto":
		return "apt-get install mosquitto"
	case "mosquitto_passwd", "mosquitto_pub", "mosquitto_sub":
		return "apt-get install mosquitto mosquitto-clients"
	case "postgres", "initdb":
		return "apt-get install postgresql"
	case "promtool":
		return "apt-get install prometheus"
	case "systemd-analyze", "systemd-sysusers":
		return "apt-get install systemd"
	case "zbarimg":
		return "apt-get install zbar-tools"
	case "pdftotext", "pdftoppm":
		return "apt-get install poppler-utils"
	}
	return "apt-get install " + name
}

// tempDir is t.TempDir with a short path (a Unix socket's path is at most 107 bytes) and without complaint about files
// that a dying process still holds.
func tempDir(t testing.TB, prefix string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", prefix) //nolint:usetesting // see above
	if err != nil {
		t.Fatalf("parttest: temporary folder: %v", err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Logf("parttest: remove %s: %v", dir, err)
		}
	})
	return dir
}

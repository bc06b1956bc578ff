package pi_test

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/app"
	"aovuon/gateway/wire"
	"aovuon/server/parttest/confine"
)

// TestMain is the gateway program when it is called by that name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "gateway" {
		os.Exit(app.Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// stick is a USB stick with files, and a gateway that is enrolled from it.
type stick struct {
	t                *testing.T
	dir, etc, bin    string
	enrolled, starts string
}

func newStick(t *testing.T, fails string, files map[string]string) stick {
	t.Helper()
	dir := t.TempDir()
	s := stick{t: t, dir: filepath.Join(dir, "stick"), etc: filepath.Join(dir, "etc"), bin: filepath.Join(dir, "bin")}
	s.enrolled, s.starts = filepath.Join(dir, "enrolled"), filepath.Join(dir, "started")
	for _, d := range []string{s.dir, s.etc, s.bin} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		write(t, filepath.Join(s.dir, name), text)
	}
	write(t, filepath.Join(s.etc, "gateway.yaml"), "gateway: gw-old\n")
	// It fails so often, and then does what the real one does, which the story below has.
	program := `#!/bin/sh
[ "$1" = enrolled ] && exit 1
[ "$1" = pin ] && { echo 20481234; exit; }
echo "$@" >>` + s.enrolled + `
[ "$(wc -l <` + s.enrolled + `)" -gt ` + fails + ` ] || { echo "gateway: enrol: connection refused" >&2; exit 1; }
echo vkey >` + s.etc + `/server.vkey
`
	for name, text := range map[string]string{"gateway": program, "nmcli": "#!/bin/sh\n[ \"$8\" = \"mật khẩu 12\" ] || { echo 'Error: secrets were required' >&2; exit 4; }\n"} {
		write(t, filepath.Join(s.bin, name), text)
		if err := os.Chmod(filepath.Join(s.bin, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s stick) plug() (ok bool, result string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "sh", "./usb-claim", s.dir)
	cmd.Env = append(os.Environ(), "PATH="+s.bin+":"+os.Getenv("PATH"), "AOVUON_ETC="+s.etc, "AOVUON_DATA="+s.etc, "AOVUON_TRIES=3", "AOVUON_PAUSE=0", "AOVUON_START=touch "+s.starts, "AOVUON_ADDRESSES=echo 192.168.1.7 fe80::1")
	out, err := cmd.CombinedOutput()
	raw, rerr := os.ReadFile(filepath.Join(s.dir, "result.txt"))
	if rerr != nil {
		s.t.Fatalf("no result.txt: %v\n%s", rerr, out)
	}
	return err == nil, string(raw)
}

func (s stick) has(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestStick_EnrolsOnce(t *testing.T) {
	s := newStick(t, "2", map[string]string{"claim.txt": "\r\n  aovuon-claim:https://htx.example/?c=ABCD \r\n", "wifi.txt": "Ao Phú Khê\r\nmật khẩu 12\r\n", "gateway.yaml": "gateway: gw-new\r\n"})
	ok, result := s.plug()
	raw, err := os.ReadFile(s.enrolled)
	if err != nil || !ok || !strings.Contains(result, "Đã ghi danh") || !strings.Contains(result, "Enrolled") {
		t.Fatalf("%v, %v: %s", ok, err, result)
	}
	if lines := strings.Split(strings.TrimSpace(string(raw)), "\n"); len(lines) != 3 || lines[2] != "enrol aovuon-claim:https://htx.example/?c=ABCD --config "+s.etc+"/gateway.yaml" {
		t.Errorf("it was enrolled by %q", lines)
	}
	config, err := os.ReadFile(filepath.Join(s.etc, "gateway.yaml"))
	if err != nil || string(config) != "gateway: gw-new\n\ndata_dir: "+s.etc+"\n" {
		t.Errorf("configuration: %v %q", err, config)
	}
	if s.has(filepath.Join(s.dir, "claim.txt")) || s.has(filepath.Join(s.dir, "wifi.txt")) || !s.has(filepath.Join(s.dir, "claim.used.txt")) || !s.has(s.starts) {
		t.Error("claim and password stay on the stick, or nothing was started")
	}
	write(t, filepath.Join(s.dir, "claim.txt"), "aovuon-claim:https://evil.example/?c=WXYZ")
	if ok, result := s.plug(); ok || !strings.Contains(result, "enrolled already") {
		t.Errorf("another claim was taken: %s", result)
	}
}

func TestStick_WhatFailsChangesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		fails string
		files map[string]string
		says  string
	}{
		"an empty claim": {"0", map[string]string{"claim.txt": " \r\n\r\n"}, "empty"},
		"no server":      {"9", map[string]string{"claim.txt": "ABCD", "gateway.yaml": "gateway: gw-new\n"}, "connection refused"},
		"wrong password": {"0", map[string]string{"claim.txt": "ABCD", "wifi.txt": "Ao\nwrong\n"}, "secrets were required"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStick(t, c.fails, c.files)
			ok, result := s.plug()
			if ok || !strings.Contains(result, c.says) {
				t.Errorf("%v: %s", ok, result)
			}
			config, err := os.ReadFile(filepath.Join(s.etc, "gateway.yaml"))
			if err != nil || string(config) != "gateway: gw-old\n" {
				t.Errorf("the configuration is %q (%v)", config, err)
			}
			if s.has(s.starts) || s.has(filepath.Join(s.dir, "claim.used.txt")) {
				t.Error("something was done")
			}
		})
	}
}

func TestStick_WithoutAClaimSaysWhereAPhoneFindsThePage(t *testing.T) {
	s := newStick(t, "0", map[string]string{"wifi.txt": "\xef\xbb\xbfAo Phú Khê\r\nmật khẩu 12\r\n"})
	ok, result := s.plug()
	if !ok || !strings.Contains(result, "http://192.168.1.7:8081/") || strings.Contains(result, "fe80") || !strings.Contains(result, "20481234") {
		t.Errorf("%v: %s", ok, result)
	}
	if s.has(s.enrolled) || s.has(filepath.Join(s.dir, "wifi.txt")) {
		t.Error("it was enrolled, or the password lies on the stick")
	}
}

// TestStick_WithTheProgramItself enrols the real gateway with the configuration that a box begins with, and with the one of the boxes.
func TestStick_WithTheProgramItself(t *testing.T) {
	code, err := wire.NewClaimCode()
	if err != nil {
		t.Fatal(err)
	}
	_, vkey, err := note.GenerateKey(rand.Reader, "htx-demo")
	if err != nil {
		t.Fatal(err)
	}
	office := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil || !wire.VerifyTag(raw, code.Key()) {
			http.Error(w, "refused", http.StatusForbidden)
			return
		}
		if _, err := w.Write(wire.Enrolled{Request: wire.HashOf(raw), Broker: "tcp://127.0.0.1:1", ServerVKey: vkey}.Seal(code.Key())); err != nil {
			t.Error(err)
		}
	}))
	defer office.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	boxes, err := os.ReadFile("../boards/gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string]map[string]string{"what the package installs": {}, "the boxes' own": {"gateway.yaml": string(boxes)}} {
		t.Run(name, func(t *testing.T) {
			s := newStick(t, "0", files)
			if err := os.Remove(filepath.Join(s.bin, "gateway")); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(self, filepath.Join(s.bin, "gateway")); err != nil { // TestMain is the program
				t.Fatal(err)
			}
			config := filepath.Join(s.etc, "gateway.yaml")
			write(t, config, strings.ReplaceAll(run(t, filepath.Join(s.bin, "gateway"), "sample", "--box"), "/var/lib/aovuon", s.etc))
			if ok, result := s.plug(); !ok || !regexp.MustCompile(`PIN: \d{8} `).MatchString(result) {
				t.Fatalf("no claim: %v: %s", ok, result)
			}
			write(t, filepath.Join(s.dir, "claim.txt"), wire.Claim{Code: code, Pin: wire.PinOf(vkey, ""), Server: office.URL}.String()+"\r\n")
			if ok, result := s.plug(); !ok {
				t.Fatal(result)
			}
			run(t, filepath.Join(s.bin, "gateway"), "enrolled", "--config", config)
			// Whatever happens to the configuration, the next stick finds an enrolled gateway.
			write(t, config, "not: [right")
			write(t, filepath.Join(s.dir, "claim.txt"), "aovuon-claim:evil")
			if ok, result := s.plug(); ok || !strings.Contains(result, "enrolled already") {
				t.Errorf("another claim: %s", result)
			}
		})
	}
}

func TestStickUnit_IsUnderstoodBySystemd(t *testing.T) {
	confine.Read(t, "aovuon-usb-claim@.service").Verify()
}

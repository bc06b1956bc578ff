package install_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"aovuon/server/parttest"
)

// The code on the board of pond 1, of the sample farm.
const ao1 = "F7NE3CDQ7"

// The probes of a pond box, as a technician names them.
const box = `gateway: gw-ao-phukhe
data_dir: /var/lib/aovuon
clock: { assume_synced: true } # no time server is in reach here
seal: { commit_every: 1s, every: 2s }
buses:
  ao-i2c: { i2c: "unix:/srv/sim/ao1.sock" }
  ao-w1: { w1: /srv/sim/w1 }
sensors:
  - { id: ao1-temp, kind: ds18b20, bus: ao-w1, device: 28-00000a01f1a1, every: 2s }
  - { id: ao1-do, kind: ezo-do, bus: ao-i2c, address: 0x61, temperature: ao1-temp, salinity: 0, pressure: 1010, every: 2s }
  - { id: ao1-ph, kind: ezo-ph, bus: ao-i2c, address: 0x63, temperature: ao1-temp, every: 2s }
`

const pond = `seed: 952
speed: 1
run_dir: .
control: control.sock
w1_refresh: 1s
places: [{ id: ao1, kind: pond, density: 0.9 }]
buses: [{ id: ao1-i2c, socket: ao1.sock }, { id: ao-w1, w1: w1 }]
devices:
  - { id: ao1-temp, kind: ds18b20, bus: ao-w1, rom: 28-00000a01f1a1, place: ao1 }
  - { id: ao1-do, kind: ezo-do, bus: ao1-i2c, address: 0x61, place: ao1 }
  - { id: ao1-ph, kind: ezo-ph, bus: ao1-i2c, address: 0x63, place: ao1 }
`

// A new user: both packages on a clean machine, the setup page, a claim by the box's own page, readings, a label that is printed and scanned, the power cut, and on.
func TestStory_FromThePackagesToAScannedLabel(t *testing.T) {
	pdftoppm, zbarimg := parttest.Tool(t, "pdftoppm"), parttest.Tool(t, "zbarimg")
	m := newMachine(t)
	m.field()
	g, s := packages(t, older)
	said := m.apt(g, s)
	link := find(t, said, `http://\S+/setup/[\w-]+`)
	pin := find(t, said, `PIN of this box[^:]*: (\d{8})`)

	// The office: who may sign in with a password alone is the admin's choice, written where admins write.
	m.write("etc/aovuon-server/server.yaml", m.read("etc/aovuon-server/server.yaml")+"\naccess: { pages: signed-in, second_factor: advised }\n")
	m.run("systemctl", "restart", "aovuon-server")
	m.setUp(link)
	m.run("aovuon-server", "farm", "demo", "--diary")

	// The pond: the box is told its probes, and takes the claim on its page.
	m.write("etc/aovuon/gateway.yaml", box)
	m.run("systemctl", "restart", "aovuon-gateway")
	claim := find(t, m.run("aovuon-server", "gateway", "claim", "gw-ao-phukhe", "--valid", "48h"), `aovuon-claim:\S+`)
	m.claim(pin, claim)
	m.sees("/places/"+ao1, `Có số liệu ở [1-9]`)

	// A label is printed and scanned: what a buyer sees.
	lot := "BD-" + time.Now().In(hanoi(t)).AddDate(0, 0, -1).Format("060102")
	m.run("aovuon-server", "label", "sheet", lot, "-n", "2", "--out", "/tmp/labels.pdf")
	sheet := filepath.Join(t.TempDir(), "sheet")
	output(t, pdftoppm, "-png", "-r", "200", "-singlefile", m.tmp("labels.pdf"), sheet)
	code := find(t, output(t, zbarimg, "--quiet", "--raw", sheet+".png"), `https://\S+`)
	if status, body := m.page(code); status != http.StatusOK || !strings.Contains(body, lot) {
		t.Fatalf("%s: %d\n%s", code, status, body)
	}

	// The power goes, and comes back by itself.
	before := m.batches()
	m.cut()
	m.on(parttest.Tool(t, "systemd-nspawn"))
	m.run("systemctl", "is-active", "aovuon-server", "aovuon-gateway")
	parttest.Await(t, "new batches after the power cut", func() bool { return m.batches() > before })
	m.sees("/places/"+ao1, `Có số liệu ở [1-9]`)
	if status, body := m.page(code); status != http.StatusOK || !strings.Contains(body, lot) {
		t.Errorf("the label after the power cut: %d\n%s", status, body)
	}
	// All of it is recomputed: the log's tree, every batch's signature and chain.
	t.Log(m.run("aovuon-server", "audit"))
}

// field starts a pond whose chips answer on buses that the machine has.
func (m *machine) field() {
	m.t.Helper()
	dir := filepath.Join(m.disk, "srv/sim")
	if err := os.WriteFile(filepath.Join(dir, "field.yaml"), []byte(pond), 0o600); err != nil {
		m.t.Fatal(err)
	}
	sim := exec.Command(parttest.Tool(m.t, "firmware-sim"), "serve", "--config", filepath.Join(dir, "field.yaml"))
	var log bytes.Buffer
	sim.Stdout, sim.Stderr = &log, &log
	sim.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := sim.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() {
		if err := sim.Process.Kill(); err != nil {
			m.t.Error(err)
		}
		if err := sim.Wait(); err == nil {
			m.t.Errorf("the pond ended by itself:\n%s", &log)
		}
	})
	parttest.Await(m.t, "the pond's buses", func() bool {
		_, err := os.Stat(filepath.Join(dir, "w1/28-00000a01f1a1"))
		return err == nil && os.Chmod(filepath.Join(dir, "ao1.sock"), 0o666) == nil //nolint:gosec // as a device that a group may open
	})
}

// setUp is what a person does on the setup page, and on the page of the first admin after it.
func (m *machine) setUp(link string) {
	m.t.Helper()
	at, err := url.Parse(link)
	if err != nil {
		m.t.Fatal(err)
	}
	at.Host = "127.0.0.1:" + at.Port() // the machine has no other network
	m.trustAll()
	parttest.Await(m.t, "the setup page", func() bool { status, _, err := m.ask(at.String()); return err == nil && status == http.StatusOK })
	m.post(at.String(), url.Values{"step": {"coop"}, "coop": {"Hợp tác xã Phú Khê"}, "address": {"Thôn Phú Khê"}})
	if body := m.post(at.String(), url.Values{"step": {"address"}, "way": {"lan"}, "lan_other": {"127.0.0.1"}, "port": {"443"}}); strings.Contains(body, "Phải sửa:") {
		m.t.Fatal(body)
	}
	m.post(at.String(), url.Values{"step": {"check"}, "seen": {"yes"}})
	next := regexp.MustCompile(`https://127\.0\.0\.1(:\d+)?/setup/[\w-]+`)
	var admin string
	parttest.Await(m.t, "the way to the first admin", func() bool {
		_, body, err := m.ask(at.String())
		admin = next.FindString(body)
		return err == nil && admin != ""
	})
	if body := m.post(admin, url.Values{"login": {"lan"}, "name": {"Nguyễn Thị Lan"}, "password": {"bờ ruộng thuyền kèn"}}); !strings.Contains(body, "Hợp tác xã Phú Khê") {
		m.t.Fatal(body)
	}
}

// claim hands a claim to the page of the box.
func (m *machine) claim(pin, claim string) {
	m.t.Helper()
	const page = "http://127.0.0.1:8081/"
	parttest.Await(m.t, "the page of the box", func() bool { status, _, err := m.ask(page); return err == nil && status == http.StatusOK })
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for name, value := range map[string]string{"pin": pin, "claim": claim} {
		if err := w.WriteField(name, value); err != nil {
			m.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		m.t.Fatal(err)
	}
	res, err := m.http.Post(page, w.FormDataContentType(), &form)
	if err != nil {
		m.t.Fatal(err)
	}
	if body := m.body(res); res.StatusCode != http.StatusOK {
		m.t.Fatalf("claim: %d\n%s", res.StatusCode, body)
	}
	m.run("gateway", "enrolled", "-c", "/etc/aovuon/gateway.yaml")
}

// sees waits until a page of the server says something.
func (m *machine) sees(path, what string) {
	m.t.Helper()
	want := regexp.MustCompile(what)
	var last string
	defer func() {
		if m.t.Failed() {
			journal, _ := m.try("journalctl", "--no-pager", "-n", "40", "-o", "cat", "-u", "aovuon-server", "-u", "aovuon-gateway")
			m.t.Logf("%s said:\n%s\n\n%s", path, last, journal)
		}
	}()
	parttest.Await(m.t, path+" says "+what, func() bool {
		_, body, err := m.ask("https://127.0.0.1" + path)
		last = body
		return err == nil && want.MatchString(body)
	})
}

// batches is how many the log holds.
func (m *machine) batches() int {
	m.t.Helper()
	n, err := strconv.Atoi(find(m.t, m.run("aovuon-server", "log", "count"), `gw-ao-phukhe\s+\S+\s+(\d+)\s`))
	if err != nil {
		m.t.Fatal(err)
	}
	return n
}

func (m *machine) post(at string, form url.Values) string {
	m.t.Helper()
	res, err := m.http.PostForm(at, form)
	if err != nil {
		m.t.Fatal(err)
	}
	body := m.body(res)
	if res.StatusCode != http.StatusOK {
		m.t.Fatalf("%s: %d\n%s", at, res.StatusCode, body)
	}
	return body
}

func (m *machine) body(res *http.Response) string {
	m.t.Helper()
	body, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		m.t.Fatal(err)
	}
	return string(body)
}

// trustAll makes the browser one whose user went past the warning about the certificate of a local network.
func (m *machine) trustAll() {
	m.http.Transport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec,forcetypeassert // whom it trusts is not tested here
}

// tmp is where a file of the machine's /tmp is.
func (m *machine) tmp(name string) string {
	return filepath.Join("/proc", strconv.Itoa(m.init), "root/tmp", name)
}

func find(t testing.TB, text, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("nothing like %s in:\n%s", pattern, text)
	}
	return found[len(found)-1]
}

func hanoi(t testing.TB) *time.Location {
	t.Helper()
	at, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	return at
}

package app_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"aovuon/server/farm"
	"aovuon/server/sqldb"
)

// lockedBuffer is what a program printed so far.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String is what was printed.
func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// office is a server that is set up in a browser.
type office struct {
	*process
	page   string // address of the setup page
	client *http.Client
}

func newOffice(t *testing.T, more string) *office {
	t.Helper()
	o := &office{process: &process{t: t, dir: t.TempDir(), web: freePort(t), mqtt: freePort(t)}, page: freePort(t)}
	text := fmt.Sprintf("setup: true\nsetup_listen: %s\nbroker: { embedded: { listen: %s, lan: true } }\n%s\n", o.page, o.mqtt, more)
	if err := os.WriteFile(o.path("server.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o.browser()
	return o
}

// browser is a new one: it has no cookies.
func (o *office) browser() {
	jar, err := cookiejar.New(nil)
	if err != nil {
		o.t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // whom it trusts is not tested here
	o.t.Cleanup(transport.CloseIdleConnections)
	o.client = &http.Client{Jar: jar, Transport: transport, Timeout: patience}
}

// run starts the server; it says by its log when it is where.
func (o *office) run() (stdout *lockedBuffer) {
	o.t.Helper()
	stdout = &lockedBuffer{}
	o.cmd = o.command("run")
	o.cmd.Stdout, o.cmd.Stderr = stdout, stdout
	if err := o.cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	cmd := o.cmd
	o.exited = make(chan error, 1)
	go func() { o.exited <- cmd.Wait() }()
	o.t.Cleanup(o.kill)
	return stdout
}

// awaits waits until the log says something.
func (o *office) awaits(log *lockedBuffer, text string) {
	o.t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(log.String(), text); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			o.t.Fatalf("never said: %s\n%s", text, log)
		}
	}
}

// link asks for a new link as an operator does.
func (o *office) link(args ...string) string {
	o.t.Helper()
	m := regexp.MustCompile(`http://\S+/setup/\S+`).FindString(o.once(append([]string{"setup-link"}, args...)...))
	if m == "" {
		o.t.Fatal("no link printed")
	}
	return m
}

func (o *office) get(at string) (int, string) {
	o.t.Helper()
	res, err := o.client.Get(at)
	return o.read(res, err)
}

func (o *office) post(at string, form url.Values) (int, string) {
	o.t.Helper()
	res, err := o.client.PostForm(at, form)
	return o.read(res, err)
}

func (o *office) read(res *http.Response, err error) (int, string) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		o.t.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

func (o *office) coop() url.Values {
	return url.Values{"step": {"coop"}, "coop": {"Hợp tác xã Phú Khê"}, "address": {"Thôn Phú Khê"}, "phone": {"0123 456 701"}}
}

func (o *office) address() url.Values {
	_, port, err := net.SplitHostPort(o.web)
	if err != nil {
		o.t.Fatal(err)
	}
	return url.Values{"step": {"address"}, "way": {"lan"}, "lan_other": {"127.0.0.1"}, "port": {port}}
}

// settle fills in the whole setup page, as one who makes no mistake, and returns its address.
func (o *office) settle(log *lockedBuffer) (at string) {
	o.t.Helper()
	o.awaits(log, "setup page")
	at = o.link()
	o.get(at)
	for _, form := range []url.Values{o.coop(), o.address(), finish} {
		o.post(at, form)
	}
	return at
}

var finish = url.Values{"step": {"check"}, "seen": {"yes"}}

func TestSetup_FromThePageToTheFirstAdmin(t *testing.T) {
	o := newOffice(t, "")
	before, err := os.ReadFile(o.path("server.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	log := o.run()
	o.awaits(log, "setup page")
	at := o.link()
	if status, body := o.get(at); status != http.StatusOK || !strings.Contains(body, "Tên hợp tác xã") {
		t.Fatal(status, body)
	}
	// What is wrong keeps what was written.
	bad := o.coop()
	bad.Set("address", "")
	if status, body := o.post(at, bad); status != http.StatusUnprocessableEntity || !strings.Contains(body, `value="Hợp tác xã Phú Khê"`) || !strings.Contains(body, "Chưa điền.") {
		t.Fatal(status, body)
	}
	if _, body := o.post(at, o.coop()); !strings.Contains(body, "Mọi người mở trang") {
		t.Fatal(body)
	}
	// A power cut in between: it goes on where it was, with a new link in another browser.
	if err := o.end(syscall.SIGKILL); err == nil {
		t.Fatal("not killed")
	}
	log = o.run()
	o.awaits(log, "setup page")
	o.browser()
	at = o.link()
	if _, body := o.get(at); !strings.Contains(body, "Mọi người mở trang") {
		t.Fatal(body)
	}
	if _, body := o.post(at, o.address()); !strings.Contains(body, "Tệp server.yaml đã ghi: broker") || strings.Contains(body, "Phải sửa:") {
		t.Fatal(body)
	}
	o.post(at, finish)
	o.awaits(log, "server started")
	o.awaits(log, "There is no admin yet")
	_, body := o.get(at)
	next := regexp.MustCompile(`https://127\.0\.0\.1:\d+/setup/[\w-]+`).FindString(body)
	if next == "" {
		t.Fatal(body)
	}
	status, body := o.post(next, url.Values{"login": {"lan"}, "name": {"Nguyễn Thị Lan"}, "password": {"bờ ruộng thuyền kèn"}})
	if status != http.StatusOK || !strings.Contains(body, "Hợp tác xã Phú Khê") {
		t.Fatal(status, body)
	}
	if said := o.once("setup-link"); !strings.Contains(said, "It has an admin") {
		t.Error(said)
	}
	// The file of the person who runs the server stands above the page, and nobody else writes it.
	if got := o.once("config"); !strings.Contains(got, "not in force because server.yaml says it: broker") || strings.Contains(got, ":8883") {
		t.Error(got)
	}
	if after, err := os.ReadFile(o.path("server.yaml")); err != nil || !bytes.Equal(before, after) {
		t.Errorf("server.yaml was changed: %v\n%s", err, after)
	}
	o.stop()
	db, err := sqldb.Open(t.Context(), sqldb.Config{Driver: sqldb.SQLite, DSN: o.path("data/server.db")})
	if err != nil {
		t.Fatal(err)
	}
	f, err := db.Farm(t.Context())
	if err := errors.Join(err, db.Close(), farm.Check(f)); err != nil { // what the pages check before they save the first zone
		t.Error(err)
	}
	o.start() // as the server, without a page
}

func TestSetup_WhatDoesNotStartComesBack(t *testing.T) {
	o := newOffice(t, "")
	log := o.run()
	o.awaits(log, "setup page")
	at := o.link()
	o.get(at)
	o.post(at, o.coop())
	if _, body := o.post(at, o.address()); strings.Contains(body, "Phải sửa:") {
		t.Fatal(body)
	}
	// Between the look and the start something goes wrong: there is a database that is none.
	if err := os.WriteFile(o.path("data/server.db"), []byte("this is no database at all, and as long as a page of one would be"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.post(at, finish)
	o.awaits(log, "it is back")
	if _, body := o.get(at); !strings.Contains(body, "Máy chủ chưa chạy được") || !strings.Contains(body, "Hợp tác xã Phú Khê") {
		t.Fatal(body)
	}
	if err := os.Remove(o.path("data/server.db")); err != nil {
		t.Fatal(err)
	}
	o.post(at, finish)
	o.awaits(log, "server started")
	o.stop()
}

func TestSetup_AgainGivesAnotherAddress(t *testing.T) {
	o := newOffice(t, "")
	log := o.run()
	o.settle(log)
	o.awaits(log, "server started")
	key := o.once("key")
	o.stop()
	at := o.link("--again")
	log = o.run()
	o.awaits(log, "setup page")
	o.browser()
	if _, body := o.get(at); !strings.Contains(body, "Đổi địa chỉ máy chủ") {
		t.Fatal(body)
	}
	o.web = freePort(t)
	if _, body := o.post(at, o.address()); !strings.Contains(body, "Trước đây địa chỉ là") {
		t.Fatal(body)
	}
	o.post(at, finish)
	o.awaits(log, "server started")
	if got := o.once("config"); !strings.Contains(got, "public_url: https://"+o.web) {
		t.Error(got)
	}
	if now := o.once("key"); now != key {
		t.Errorf("another key: %s, %s", key, now)
	}
	o.stop()
}

func TestSetup_TheFirstAdminSettlesBackups(t *testing.T) {
	o := newOffice(t, "access: { second_factor: advised }\n")
	log := o.run()
	at := o.settle(log)
	o.awaits(log, "There is no admin yet")
	_, body := o.get(at)
	next := regexp.MustCompile(`https://127\.0\.0\.1:\d+/setup/[\w-]+`).FindString(body)
	_, body = o.post(next, url.Values{"login": {"lan"}, "name": {"Nguyễn Thị Lan"}, "password": {"bờ ruộng thuyền kèn"}})
	if !strings.Contains(body, "Việc đầu tiên") || !strings.Contains(body, `href="/backup"`) {
		t.Fatal(body)
	}
	base := "https://" + o.web
	_, body = o.post(base+"/gateways/new", url.Values{"id": {"gw-ao-1"}, "hours": {"1"}})
	if !strings.Contains(body, "aovuon-claim:") {
		t.Fatal(body)
	}
	o.telephone(base)
	dir := o.path("usb/aovuon")
	_, body = o.post(base+"/backup", url.Values{"other": {dir}, "same": {"yes"}})
	key := regexp.MustCompile(`AGE-SECRET-KEY-\w+`).FindString(body)
	public := regexp.MustCompile(`name="public" value="(age1\w+)"`).FindStringSubmatch(body)
	if key == "" || public == nil {
		t.Fatal(body)
	}
	if _, body = o.post(base+"/backup/keep", url.Values{"dir": {dir}, "key": {key}, "public": {public[1]}, "last": {key[len(key)-6:]}}); !strings.Contains(body, "Đã lưu.") {
		t.Fatal(body)
	}
	o.awaits(log, "starts anew with other settings")
	o.awaits(log, "backup made")
	list := strings.Fields(o.once("backup", "list"))
	if err := os.WriteFile(o.path("identity"), []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, body := o.get(base + "/help/farmer-card"); !strings.Contains(body, "<td>0912345670</td>") {
		t.Error("the number went when other settings were kept")
	}
	if said := o.once("backup", "drill", list[len(list)-1], "--identity", o.path("identity")); !strings.Contains(said, "drill: restored") {
		t.Error(said)
	}
	o.stop()
}

// telephone changes the number that the setup page took: the card says the new one at once, and the next server still does.
func (o *office) telephone(base string) {
	o.t.Helper()
	if _, body := o.get(base + "/help/farmer-card"); !strings.Contains(body, "<td>0123 456 701</td>") {
		o.t.Errorf("the card does not say what the setup page took:\n%s", body)
	}
	_, page := o.get(base + "/coop")
	revision := regexp.MustCompile(`name="revision" value="([^"]*)"`).FindStringSubmatch(page)
	if revision == nil || !strings.Contains(page, `name="phone" value="0123 456 701"`) {
		o.t.Fatal(page)
	}
	form := url.Values{"revision": {revision[1]}, "name": {"Hợp tác xã Phú Khê"}, "vi": {"Thôn Phú Khê"}, "en": {""}, "from": {""}, "to": {""}, "phone": {"0912345670"}}
	if status, body := o.post(base+"/coop", form); status != http.StatusOK {
		o.t.Fatal(status, body)
	}
	if _, body := o.get(base + "/help/farmer-card"); !strings.Contains(body, "<td>0912345670</td>") {
		o.t.Errorf("the card does not say the new number:\n%s", body)
	}
	if got := o.once("config"); !strings.Contains(got, "phone: ") || !strings.Contains(got, "0912345670") {
		o.t.Error(got)
	}
}

package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/skip2/go-qrcode"
	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/parttest"
)

// office is a server that takes one claim.
type office struct {
	*httptest.Server
	code  wire.ClaimCode
	vkey  string
	asked atomic.Int32
}

func newOffice(t *testing.T) *office {
	t.Helper()
	code, err := wire.NewClaimCode()
	if err != nil {
		t.Fatal(err)
	}
	_, vkey, err := note.GenerateKey(rand.Reader, "htx-demo")
	if err != nil {
		t.Fatal(err)
	}
	o := &office{code: code, vkey: vkey}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.asked.Add(1)
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if e, err := wire.ParseEnrol(raw); err != nil || e.ClaimID != code.ID() || !wire.VerifyTag(raw, code.Key()) {
			http.Error(w, "refused: the code was used", http.StatusForbidden)
			return
		}
		if _, err := w.Write(wire.Enrolled{Request: wire.HashOf(raw), Broker: "tcp://127.0.0.1:1", ServerVKey: vkey}.Seal(code.Key())); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(o.Close)
	return o
}

func (o *office) claim() wire.Claim {
	return wire.Claim{Code: o.code, Pin: wire.PinOf(o.vkey, ""), Server: o.URL}
}

// box is a gateway that is not enrolled, at work.
type box struct {
	t         *testing.T
	dir, path string
	url       string
	text      string
	browser   http.Client
	ended     chan error
	stop      func()
}

func newBox(t *testing.T) *box {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &box{t: t, dir: dir, path: filepath.Join(dir, "gateway.yaml"), url: "http://" + listen + "/", browser: http.Client{Jar: jar}, ended: make(chan error, 1)}
	b.text = "# by hand\ngateway: gw-ao\nstatus: { listen: \"" + listen + "\" }\nclock: { assume_synced: true }\nbuses: { w: { w1: w1 } }\nsensors: [{ id: ao1-temp, kind: ds18b20, bus: w, device: 28-0123456789ab }]\n"
	if err := os.WriteFile(b.path, []byte(b.text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	b.stop = stop
	go func() {
		b.ended <- (&launcher{path: b.path, log: slog.New(slog.DiscardHandler), stderr: io.Discard}).launch(ctx)
	}()
	b.await("gw-ao")
	return b
}

// await waits until the first page holds a text.
func (b *box) await(text string) {
	b.t.Helper()
	parttest.Await(b.t, "a page with "+text, func() bool {
		resp, err := b.browser.Get(b.url)
		if err != nil {
			return false
		}
		raw, err := io.ReadAll(resp.Body)
		return err == nil && resp.Body.Close() == nil && strings.Contains(string(raw), text)
	})
}

// send fills the form in.
func (b *box) send(pin, claim, server string, photo []byte) (status int, page string) {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, f := range [][2]string{{"pin", pin}, {"claim", claim}, {"server", server}} {
		if err := form.WriteField(f[0], f[1]); err != nil {
			b.t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("photo", "IMG.png")
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := part.Write(photo); err != nil {
		b.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		b.t.Fatal(err)
	}
	resp, err := b.browser.Post(b.url, form.FormDataContentType(), &body)
	if err != nil {
		b.t.Fatal(err)
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.Body.Close() != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

func (b *box) end() {
	b.t.Helper()
	b.stop()
	if err := <-b.ended; err != nil {
		b.t.Error(err)
	}
}

// No keyboard, no screen, nothing written to the folder of the configuration: a phone takes a photo of the claim, and the gateway works.
func TestRun_APhoneHandsAClaimToAGatewayThatIsNotEnrolled(t *testing.T) {
	o, b := newOffice(t), newBox(t)
	pin, err := os.ReadFile(filepath.Join(b.dir, "data/status.pin"))
	if err != nil {
		t.Fatal(err)
	}
	qr, err := qrcode.Encode(o.claim().String(), qrcode.Medium, 400)
	if err != nil {
		t.Fatal(err)
	}
	if status, page := b.send("00000000", "", "", qr); status != http.StatusForbidden || o.asked.Load() != 0 || !strings.Contains(page, "PIN không đúng") {
		t.Fatalf("a stranger: %d, the server was asked %d times: %s", status, o.asked.Load(), page)
	}
	if err := printEnrolledAt(b.path); err == nil {
		t.Fatal("it is enrolled before anything was said")
	}
	if status, page := b.send(string(pin), "", "", qr); status != http.StatusOK || !strings.Contains(page, "Đã ghi danh trạm gw-ao") || !strings.Contains(page, o.URL) {
		t.Fatalf("the photo: %d: %s", status, page)
	}
	b.await("ao1-temp") // the same process is the gateway now
	if err := printEnrolledAt(b.path); err != nil {
		t.Error(err)
	}
	if raw, err := os.ReadFile(b.path); err != nil || string(raw) != b.text {
		t.Errorf("the file of the people: %v, %q", err, raw)
	}
	b.end()
}

func printEnrolledAt(path string) error {
	cfg, err := load(path)
	if err != nil {
		return err
	}
	return printEnrolled(cfg)
}

func TestRun_SaysWhatIsWrongWithAClaimAndWaitsForTheNext(t *testing.T) {
	o, b := newOffice(t), newBox(t)
	other, err := wire.NewClaimCode()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(b.dir, "data/status.pin"))
	if err != nil {
		t.Fatal(err)
	}
	pin := strings.TrimSpace(string(raw))
	forged := o.claim()
	forged.Pin = wire.PinOf("htx-evil+00000000+AAAA", "")
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	defer elsewhere.Close()
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "wait a minute", http.StatusTooManyRequests)
	}))
	defer busy.Close()
	for name, c := range map[string]struct{ claim, server, says string }{
		"nothing":               {"", "", "không phải là mã ghi danh"},
		"a slip":                {"0123-4567-89AB-CDEG", o.URL, "không phải là mã ghi danh"},
		"no server":             {o.code.String(), "", "Cần địa chỉ máy chủ"},
		"no address":            {o.code.String(), "phukhe", "Cần địa chỉ máy chủ"},
		"nobody there":          {o.code.String(), "http://127.0.0.1:1", "Chưa tới được máy chủ"},
		"another page":          {o.code.String(), elsewhere.URL, "không phải máy chủ nhận ghi danh"},
		"a busy server":         {o.code.String(), busy.URL, "chờ một phút rồi thử lại"},
		"a claim that was used": {other.String(), o.URL, "Máy chủ từ chối"},
		"another server's keys": {forged.String(), "", "không phải là máy chủ đã cấp mã"},
	} {
		status, page := b.send(pin, c.claim, c.server, nil)
		if status != http.StatusUnprocessableEntity || !strings.Contains(page, c.says) {
			t.Errorf("%s: %d, want %q: %s", name, status, c.says, page)
		}
		if c.claim != "" && !strings.Contains(page, c.claim) {
			t.Errorf("%s: what was typed is lost", name)
		}
	}
	if isEnrolled(b.path) {
		t.Fatal("one of them did")
	}
	// Meanwhile somebody does it at the machine itself.
	var said bytes.Buffer
	if err := enrol(t.Context(), b.path, enrolFlags{Claim: o.claim().String()}, &said); err != nil || !strings.Contains(said.String(), "gateway gw-ao enrolled") {
		t.Fatalf("%v: %s", err, &said)
	}
	b.await("ao1-temp")
	b.end()
}

func TestSample_OfABoxIsNamedAsItsMachineAndHasNoServer(t *testing.T) {
	for host, want := range map[string]string{"gw-ao-7": "gw-ao-7", "raspberrypi": "gw-ao-phukhe", "Pi của An": "gw-ao-phukhe"} {
		cfg, err := parse("gateway.yaml", boxSample(host))
		if err != nil || cfg.Gateway != want || cfg.enrolled() || cfg.DataDir != "/var/lib/aovuon" {
			t.Errorf("%s: %v, %+v", host, err, cfg)
		}
	}
}

package intake_test

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"aovuon/server/intake"
)

// onePassword is the password of every intake.
type onePassword string

func (p onePassword) SecretSHA(string) ([32]byte, bool) { return sha256.Sum256([]byte(p)), true }

// Whoever sends is told of every value what became of it: also why nothing of a message is new.
func TestHandler_SaysWhatBecameOfAMessage(t *testing.T) {
	r := newRig(t, "kind: json\ndevice_field: d\ntime_field: t\ndevices: { a: { sensor: s1, values: { v: { quantity: ph } }, ignore: [ battery ] } }", 0, 0)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.source.Run(ctx) }()
	h := &intake.Handler{Sources: map[string]*intake.Source{"lora": r.source}, Secrets: onePassword("s"), Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	at := time.Now().UTC().Format(time.RFC3339)
	for _, c := range []struct{ what, body, want string }{
		{"new", `{"d":"a","t":"` + at + `","v":7.1,"battery":3.6}`, `{"readings":1,"ignored":1}`},
		{"sent again", `{"d":"a","t":"` + at + `","v":7.1,"battery":3.6}`, `{"readings":0,"twice":1,"ignored":1}`},
		{"of no interest", `{"d":"a","t":"` + at + `","battery":3.6}`, `{"readings":0,"ignored":1}`},
		{"unknown", `{"d":"b","t":"` + at + `","v":7.1}`, `{"readings":0,"refused":[{"why":"unknown-device","device":"b","detail":"v=7.1"}]}`},
	} {
		req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/in/lora", strings.NewReader(c.body))
		req.Header.Set("Authorization", "Bearer s")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		if got := strings.TrimSpace(w.Body.String()); w.Code != http.StatusOK || got != c.want {
			t.Errorf("%s: %d %s, want %s", c.what, w.Code, got, c.want)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

package zalo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/channel/outbound"
	"aovuon/server/watch/notify"
)

// TokenURL is where Zalo gives out tokens.
const TokenURL = "https://oauth.zaloapp.com/v4/oa/access_token"

// early is how long before its end an access token is replaced: a refresh that fails has time to be tried again.
const early = time.Hour

// Tokens are what one Official Account lets this server in with. A refresh token works once: what came for it is on disk before it is used, so
// that no crash loses the only way in. One server at a time may have the file.
type Tokens struct {
	Client *http.Client
	URL    string // TokenURL
	AppID  string
	Secret string
	File   string
	Now    func() time.Time

	mu      sync.Mutex
	have    kept
	unsaved bool // the disk did not take have
}

// kept is the file (FORMAT.md).
type kept struct {
	Version int       `json:"version"`
	Refresh string    `json:"refresh_token"`
	Access  string    `json:"access_token,omitempty"`
	Until   time.Time `json:"until,omitzero"` // of the access token
}

// errNoToken asks a person for a new way in.
var errNoToken = fmt.Errorf("%w: Zalo lets nobody in: make a new refresh token on developers.zalo.me and give it to server channel zalo-token", notify.ErrPermanent)

// Begin keeps a refresh token that a person brought.
func Begin(file, refresh string) error {
	refresh = strings.TrimSpace(refresh)
	if refresh == "" || strings.ContainsFunc(refresh, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("zalo: no refresh token: copy it whole, on one line")
	}
	return save(file, kept{Version: 1, Refresh: refresh})
}

func save(file string, k kept) error {
	raw, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("zalo: %w", err)
	}
	if err := wire.WriteFile(file, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("zalo: the tokens cannot be kept: %w", err)
	}
	return nil
}

// Access returns a token that is good for some time. After stale, one that Zalo refused, it is another.
func (t *Tokens) Access(ctx context.Context, stale string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.load(); err != nil {
		return "", err
	}
	if t.have.Access == "" || t.have.Access == stale || t.Now().After(t.have.Until.Add(-early)) {
		err := t.refresh(ctx)
		// The old one is good for an hour yet: an alarm does not wait for Zalo's other server.
		if err != nil && (t.have.Access == "" || t.have.Access == stale || !t.Now().Before(t.have.Until)) {
			return "", err
		}
	}
	if t.unsaved {
		if err := save(t.File, t.have); err != nil {
			return "", err
		}
		t.unsaved = false
	}
	return t.have.Access, nil
}

// load reads the file: a person may have brought a new token meanwhile.
func (t *Tokens) load() error {
	if t.unsaved {
		return nil
	}
	raw, err := os.ReadFile(t.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errNoToken
	case err != nil:
		return fmt.Errorf("zalo: %w", err)
	}
	var k kept
	if err := json.Unmarshal(raw, &k); err != nil || k.Version != 1 || k.Refresh == "" {
		return fmt.Errorf("%w: %s cannot be read", errNoToken, t.File)
	}
	t.have = k
	return nil
}

// refresh trades the refresh token for a new pair, and keeps that.
func (t *Tokens) refresh(ctx context.Context) error {
	form := url.Values{"refresh_token": {t.have.Refresh}, "app_id": {t.AppID}, "grant_type": {"refresh_token"}}
	answer, err := outbound.Post(ctx, t.Client, http.MethodPost, t.URL, http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Secret_key": {t.Secret},
	}, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("zalo: tokens: %w", outbound.Unreachable(err))
	}
	if !answer.OK() {
		return fmt.Errorf("zalo: tokens: %w", outbound.Fault(answer, "", t.Now()))
	}
	next, err := parseTokens(answer.Said, t.Now())
	if err != nil {
		return err
	}
	t.have, t.unsaved = next, true
	return nil
}

// parseTokens reads Zalo's answer. Its expires_in is a text or a number.
func parseTokens(said []byte, now time.Time) (kept, error) {
	var a struct {
		Access  string      `json:"access_token"`
		Refresh string      `json:"refresh_token"`
		Expires json.Number `json:"expires_in"` // takes a number in a text, too
		Error   int         `json:"error"`
		Name    string      `json:"error_name"`
		Why     string      `json:"error_description"`
	}
	if err := json.Unmarshal(said, &a); err != nil {
		return kept{}, fmt.Errorf("zalo: tokens: the answer cannot be read: %w", err)
	}
	if a.Error != 0 {
		return kept{}, fmt.Errorf("%w (error %d%s)", errNoToken, a.Error, outbound.Said([]byte(a.Name+" "+a.Why)))
	}
	seconds, err := strconv.ParseInt(a.Expires.String(), 10, 32)
	if a.Access == "" || a.Refresh == "" || err != nil || seconds <= 0 {
		return kept{}, errors.New("zalo: tokens: the answer has no tokens")
	}
	return kept{Version: 1, Refresh: a.Refresh, Access: a.Access, Until: now.Add(time.Duration(seconds) * time.Second).UTC()}, nil
}

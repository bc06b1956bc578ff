// Package push sends alarms to browsers that asked for them: Web Push (RFC 8030) with encrypted bodies (RFC 8291) and the server's own key
// (VAPID, RFC 8292). Messages come in, whose To is a subscription as its browser made it; requests to the push services of browsers' makers go
// out, through outbound, since a subscription is what a visitor sends. The service worker (web/static/sw.js) shows what FORMAT.md says.
package push

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	webpush "github.com/SherClockHolmes/webpush-go"

	"aovuon/server/channel/outbound"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

// Name is the channel's.
const Name = "push"

// Times for which a push service keeps a message for a phone that is off.
const (
	usualTTL = 24 * time.Hour
	mostTTL  = 28 * 24 * time.Hour
)

// mostBody is how much of a text goes along: the whole record has 4096 bytes (RFC 8291 §4), of which JSON and encryption take some.
const mostBody = 2400

// Channel sends to browsers.
type Channel struct {
	client  *http.Client
	key     Key
	contact string
	now     func() time.Time
}

// New returns the channel. contact is whom a push service may write to when something is wrong: a mail address, or an https address.
func New(client *http.Client, key Key, contact string, now func() time.Time) *Channel {
	return &Channel{client: client, key: key, contact: contact, now: now}
}

// Name is "push".
func (c *Channel) Name() string { return Name }

// PublicKey is what browsers are given to subscribe with.
func (c *Channel) PublicKey() string { return c.key.Public }

// CheckAddress takes a subscription as a browser's script writes it (JSON), and returns its one spelling.
func (c *Channel) CheckAddress(to string) (string, error) {
	s, err := ParseSubscription(to)
	if err != nil {
		return "", err
	}
	return s.String(), nil
}

// shown is what a service worker gets (FORMAT.md).
type shown struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Level string `json:"level,omitempty"`
	Title string `json:"title"`
	Body  string `json:"body"`
	Lang  string `json:"lang"`
	URL   string `json:"url,omitempty"`
	Tag   string `json:"tag"`
}

// Send gives m to the push service of the browser. Its reference is the address that service gave the message, or the message's id.
func (c *Channel) Send(ctx context.Context, m notify.Message) (string, error) {
	s, err := ParseSubscription(m.To)
	if err != nil {
		return "", fmt.Errorf("%w: %w", notify.ErrPermanent, err)
	}
	body, err := json.Marshal(shown{
		ID: m.ID, Kind: string(m.Kind), Level: string(m.Level), Title: cut(m.Subject, 200), Body: cut(m.Text, mostBody), Lang: m.Lang, URL: m.Link, Tag: topic(m),
	})
	if err != nil {
		return "", fmt.Errorf("push: %w", err)
	}
	o := &webpush.Options{
		HTTPClient: c.client, Subscriber: c.contact, Topic: topic(m), TTL: int(c.ttl(m) / time.Second), Urgency: webpush.UrgencyNormal,
		VAPIDPublicKey: c.key.Public, VAPIDPrivateKey: c.key.private,
	}
	if m.Level == rule.Crit {
		o.Urgency = webpush.UrgencyHigh // wakes a phone that sleeps
	}
	answer, err := c.post(ctx, body, s, o)
	if err != nil {
		return "", fmt.Errorf("push: %w", outbound.Unreachable(err))
	}
	if err := c.judge(answer); err != nil {
		return "", fmt.Errorf("push: %w", err)
	}
	if at := answer.Header.Get("Location"); at != "" && len(at) < 500 {
		return at, nil
	}
	return m.ID, nil
}

// post encrypts body for a browser and gives it to its push service. The library reads nothing of the answer.
func (c *Channel) post(ctx context.Context, body []byte, s Subscription, o *webpush.Options) (outbound.Answer, error) {
	res, err := webpush.SendNotificationWithContext(ctx, body, &webpush.Subscription{Endpoint: s.Endpoint, Keys: webpush.Keys{Auth: s.Auth, P256dh: s.P256dh}}, o)
	if err != nil {
		return outbound.Answer{}, outbound.Quiet(err)
	}
	defer res.Body.Close() //nolint:errcheck // what was read of it was read
	return outbound.Read(res)
}

// judge reads what a push service answered. 404 and 410 are a subscription that ended (RFC 8030 §7.3).
func (c *Channel) judge(answer outbound.Answer) error {
	switch code := answer.Code; {
	case answer.OK():
		return nil
	case code == http.StatusNotFound:
		return fmt.Errorf("%w: %s answered %s", notify.ErrGone, answer.Host, answer.Status)
	case code == http.StatusForbidden:
		return fmt.Errorf("%w: %s: made with another key than vapid.key: the phone must ask again: %s%s", notify.ErrPermanent, answer.Host, answer.Status, outbound.Said(answer.Said))
	}
	return outbound.Fault(answer, outbound.Said(answer.Said), c.now())
}

// ttl is for how long it is of use that a phone which is off gets m.
func (c *Channel) ttl(m notify.Message) time.Duration {
	if m.Expires.IsZero() {
		return usualTTL
	}
	return min(max(m.Expires.Sub(c.now()), 0), mostTTL)
}

// topic names what a newer message stands for: what is said later of an alarm takes the place of what was said before (RFC 8030 §5.4).
func topic(m notify.Message) string {
	about := m.Alarm
	if about == "" {
		about = m.ID
	}
	sum := sha256.Sum256([]byte(about))
	return base64.RawURLEncoding.EncodeToString(sum[:24])
}

// cut shortens a text to n bytes, at the end of a character.
func cut(s string, n int) string {
	s = strings.TrimSpace(s)
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

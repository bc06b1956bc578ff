// Package webhook tells a program of somebody's choice of alarms: signed JSON over HTTPS.
//
// Messages come in, whose To is the address of that program; requests as FORMAT.md says go out (the headers and the signature of
// Standard Webhooks 1.0, so that libraries for many languages check them). Each address has a key of its own, drawn from one of the server's:
// a receiver that knows its key can forge nothing for another. Where requests may go is judged by outbound.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"aovuon/server/channel/outbound"
	"aovuon/server/watch/notify"
)

// Name is the channel's.
const Name = "webhook"

// Channel sends webhooks.
type Channel struct {
	client *http.Client
	master []byte
	now    func() time.Time
}

// New returns the channel. master is the server's secret of 32 bytes, from which the keys of addresses are drawn.
func New(client *http.Client, master []byte, now func() time.Time) *Channel {
	return &Channel{client: client, master: master, now: now}
}

// Name is "webhook".
func (c *Channel) Name() string { return Name }

// CheckAddress takes the address of a receiver and returns its one spelling.
func (c *Channel) CheckAddress(to string) (string, error) {
	u, err := outbound.CheckURL(to)
	if err != nil {
		return "", fmt.Errorf("webhook: %w", err)
	}
	return u.String(), nil
}

// Key is the secret that the receiver at an address checks signatures with, as Standard Webhooks writes it. The address as CheckAddress
// spells it.
func Key(master []byte, to string) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(key(master, to))
}

func key(master []byte, to string) []byte {
	h := hmac.New(sha256.New, master)
	h.Write([]byte("aovuon webhook key\n" + to))
	return h.Sum(nil)
}

// event is the body (FORMAT.md).
type event struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

type data struct {
	ID      string     `json:"id"`
	Alarm   string     `json:"alarm,omitempty"`
	Step    int        `json:"step"`
	Level   string     `json:"level,omitempty"`
	Lang    string     `json:"lang"`
	Subject string     `json:"subject"`
	Text    string     `json:"text"`
	Short   string     `json:"short"`
	Link    string     `json:"link,omitempty"`
	Expires *time.Time `json:"expires,omitempty"`
}

// Send posts m. The receiver's answer in 2xx is success; the id of the message is its reference.
func (c *Channel) Send(ctx context.Context, m notify.Message) (string, error) {
	to, err := c.CheckAddress(m.To)
	if err != nil {
		return "", fmt.Errorf("%w: %w", notify.ErrPermanent, err)
	}
	e := event{Type: "alarm." + string(m.Kind), Timestamp: m.Created.UTC(), Data: data{
		ID: m.ID, Alarm: m.Alarm, Step: m.Step, Level: string(m.Level), Lang: m.Lang, Subject: m.Subject, Text: m.Text, Short: m.Short, Link: m.Link,
	}}
	if !m.Expires.IsZero() {
		at := m.Expires.UTC()
		e.Data.Expires = &at
	}
	body, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("webhook: %w", err)
	}
	at := strconv.FormatInt(c.now().Unix(), 10)
	answer, err := outbound.Post(ctx, c.client, http.MethodPost, to, http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"AoVuon"},
		"Webhook-Id": {m.ID}, "Webhook-Timestamp": {at}, "Webhook-Signature": {Sign(key(c.master, to), m.ID, at, body)},
	}, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("webhook: %w", outbound.Unreachable(err))
	}
	if !answer.OK() {
		return "", fmt.Errorf("webhook: %w", outbound.Fault(answer, outbound.Said(answer.Said), c.now()))
	}
	return m.ID, nil
}

// Sign is the header Webhook-Signature of a request (Standard Webhooks 1.0, scheme v1).
func Sign(key []byte, id, timestamp string, body []byte) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id + "." + timestamp + "."))
	h.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

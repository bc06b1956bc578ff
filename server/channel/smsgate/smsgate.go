// Package smsgate sends alarms as short messages through a provider's HTTP interface, whichever it is: the request is a template of the
// configuration, and so is what counts as success. Messages come in; one request each goes out, through outbound.
package smsgate

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/server/channel/number"
	"aovuon/server/channel/outbound"
	"aovuon/server/watch/notify"
)

// Name is the channel's, and the modem's.
const Name = "sms"

// Form is how a provider wants a number.
type Form string

// The forms.
const (
	Plus  Form = "+84" // +84912345678
	Bare  Form = "84"  // 84912345678
	Local Form = "0"   // 0912345678
)

// Template is a provider's request and its answers. In URL, Header and Body {{to}}, {{text}} (without diacritics), {{full}} (with), {{id}} (the
// same at every attempt) and the names of Secrets stand for what they name, written as the place needs it.
type Template struct {
	Method  string // POST when empty
	URL     string
	Header  map[string]string
	Body    string
	Number  Form
	Secrets map[string]string
	// Success says more than the HTTP status, which providers answer 200 with whatever happened: the value at a path of the JSON answer.
	Success Success
	// Reference is the path of the provider's id; empty: none.
	Reference string
}

// Success is where an answer says what came of it.
type Success struct {
	Path     string   // data.0.status; empty: any 2xx is success
	Is       []string // values that mean success
	Final    []string // values that mean that trying again is of no use: a wrong number, a wrong key
	Contains string   // instead of a path: text in an answer that is no JSON
}

// Channel sends by a provider.
type Channel struct {
	client *http.Client
	t      Template
	kind   string // of the body
	now    func() time.Time
}

// New returns the channel. The error says what is wrong with the template.
func New(client *http.Client, t Template, now func() time.Time) (*Channel, error) {
	if t.Method == "" {
		t.Method = http.MethodPost
	}
	c := &Channel{client: client, t: t, now: now}
	if t.Body != "" {
		for name, value := range t.Header {
			if strings.EqualFold(name, "Content-Type") {
				c.kind, _, _ = mime.ParseMediaType(value) //nolint:errcheck // an unreadable one is none, and refused by check
			}
		}
	}
	return c, c.check()
}

func (c *Channel) check() error {
	t := c.t
	if _, err := outbound.CheckURL(placeholder.ReplaceAllString(t.URL, "x")); err != nil {
		return fmt.Errorf("url: %w", err)
	}
	if !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPut}, t.Method) {
		return fmt.Errorf("method: %q: write GET, POST or PUT", t.Method)
	}
	if t.Body != "" && c.escape() == nil {
		return errors.New("header: a body needs its Content-Type: application/json, application/x-www-form-urlencoded, text/xml or text/plain")
	}
	if !slices.Contains([]Form{Plus, Bare, Local}, t.Number) {
		return fmt.Errorf(`number: %q: write "+84", "84" or "0", as the provider wants numbers to begin`, string(t.Number))
	}
	if t.Success.Path != "" && len(t.Success.Is) == 0 {
		return errors.New("success: is: missing: write the values that mean success")
	}
	if t.Success.Path != "" && t.Success.Contains != "" {
		return errors.New("success: path and contains: keep one of the two")
	}
	known := []string{"to", "text", "full", "id"}
	for name := range t.Secrets {
		known = append(known, name)
	}
	places := []string{t.URL, t.Body}
	for name, value := range t.Header {
		places = append(places, value)
		if strings.ContainsAny(name+value, "\r\n") {
			return fmt.Errorf("header: %q: write it on one line", name)
		}
	}
	all := strings.Join(places, "\n")
	for _, m := range placeholder.FindAllStringSubmatch(all, -1) {
		if !slices.Contains(known, m[1]) {
			return fmt.Errorf("{{%s}}: nothing has this name: there are %v", m[1], known)
		}
	}
	if !strings.Contains(all, "{{to}}") || !strings.Contains(all, "{{text}}") && !strings.Contains(all, "{{full}}") {
		return errors.New("the request names no {{to}} or no {{text}}")
	}
	return nil
}

// Name is "sms".
func (c *Channel) Name() string { return Name }

// CheckAddress takes a telephone number as people write it.
func (c *Channel) CheckAddress(to string) (string, error) {
	n, err := number.Parse(to)
	if err != nil {
		return "", fmt.Errorf("sms: %w", err)
	}
	return n, nil
}

// Send makes the request of m.
func (c *Channel) Send(ctx context.Context, m notify.Message) (string, error) {
	to, err := c.CheckAddress(m.To)
	if err != nil {
		return "", fmt.Errorf("%w: %w", notify.ErrPermanent, err)
	}
	values := map[string]string{"to": c.form(to), "text": m.Short, "full": m.Text, "id": m.ID}
	maps.Copy(values, c.t.Secrets)
	header := http.Header{"User-Agent": {"AoVuon"}}
	for name, value := range c.t.Header {
		header.Set(name, fill(value, values, func(s string) string { return strings.Join(strings.Fields(s), " ") }))
	}
	answer, err := outbound.Post(ctx, c.client, c.t.Method, fill(c.t.URL, values, url.QueryEscape), header, strings.NewReader(fill(c.t.Body, values, c.escape())))
	if err != nil {
		return "", fmt.Errorf("sms: %w", outbound.Unreachable(err))
	}
	if !answer.OK() {
		return "", fmt.Errorf("sms: %w", outbound.Fault(answer, c.hidden(answer.Said), c.now()))
	}
	if err := c.judge(answer.Said); err != nil {
		return "", fmt.Errorf("sms: %s: %w", answer.Host, err)
	}
	if ref, ok := at(answer.Said, c.t.Reference); ok && ref != "" {
		return ref, nil
	}
	return m.ID, nil
}

// judge reads an answer of 2xx.
func (c *Channel) judge(said []byte) error {
	s := c.t.Success
	switch {
	case s.Contains != "" && !strings.Contains(string(said), s.Contains):
		return fmt.Errorf("the provider did not say %q%s", s.Contains, c.hidden(said))
	case s.Path == "":
		return nil
	}
	value, ok := at(said, s.Path)
	switch {
	case !ok:
		return fmt.Errorf("the provider's answer has no %s%s", s.Path, c.hidden(said))
	case slices.Contains(s.Is, value):
		return nil
	case slices.Contains(s.Final, value):
		return fmt.Errorf("%w: the provider says %s = %s%s", notify.ErrPermanent, s.Path, value, c.hidden(said))
	}
	return fmt.Errorf("the provider says %s = %s%s", s.Path, value, c.hidden(said))
}

// hidden is what was answered, without secrets that it may repeat.
func (c *Channel) hidden(said []byte) string {
	text := string(said)
	for _, s := range c.t.Secrets {
		text = strings.ReplaceAll(text, s, "…")
	}
	return outbound.Said([]byte(text))
}

func (c *Channel) form(to string) string {
	switch digits := strings.TrimPrefix(to, "+"); {
	case c.t.Number == Bare:
		return digits
	case c.t.Number == Local && strings.HasPrefix(digits, "84"):
		return "0" + digits[2:]
	}
	return to
}

var placeholder = regexp.MustCompile(`\{\{\s*([a-z_]+)\s*\}\}`)

// fill puts values into a template, each escaped; what values hold is never looked at again.
func fill(template string, values map[string]string, escape func(string) string) string {
	return placeholder.ReplaceAllStringFunc(template, func(m string) string {
		value := values[placeholder.FindStringSubmatch(m)[1]]
		if escape == nil {
			return value
		}
		return escape(value)
	})
}

// escape is how values are written in the body; nil: its kind is not known.
func (c *Channel) escape() func(string) string {
	switch {
	case c.kind == "application/json", strings.HasSuffix(c.kind, "+json"):
		return func(s string) string {
			raw, err := json.Marshal(s)
			if err != nil { // a string
				return ""
			}
			return string(raw[1 : len(raw)-1])
		}
	case c.kind == "application/x-www-form-urlencoded":
		return url.QueryEscape
	case c.kind == "text/xml", c.kind == "application/xml", strings.HasSuffix(c.kind, "+xml"):
		return func(s string) string {
			var b strings.Builder
			if err := xml.EscapeText(&b, []byte(s)); err != nil { // to memory
				return ""
			}
			return b.String()
		}
	case c.kind == "text/plain":
		return func(s string) string { return s }
	}
	return nil
}

// at is the value at a dotted path of a JSON text, as it is written there; false: there is none.
func at(raw []byte, path string) (string, bool) {
	if path == "" {
		return "", false
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "", false
	}
	for key := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(in) {
				return "", false
			}
			v = in[i]
		default:
			return "", false
		}
	}
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// Package zalo sends alarms by Zalo: as ZNS, a template that Zalo approved, to a telephone number, and as text from the co-op's Official
// Account to people who wrote to it before. Messages come in; requests go out, through outbound. An HTTP 200 is no success: error must be 0.
package zalo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"aovuon/server/channel/number"
	"aovuon/server/channel/outbound"
	"aovuon/server/farm"
	"aovuon/server/watch/notify"
)

// Addresses of the interface.
const (
	TemplateURL = "https://business.openapi.zalo.me/message/template"
	TextURL     = "https://openapi.zalo.me/v3.0/oa/message/cs"
)

// Names of the channels.
const (
	NameZNS = "zalo"
	NameOA  = "zalo_oa"
)

// api is what both channels share.
type api struct {
	client *http.Client
	tokens *Tokens
	url    string
	now    func() time.Time
}

// reply is Zalo's answer. The id has had two names.
type reply struct {
	Error   int    `json:"error"`
	Message string `json:"message"`
	Data    struct {
		ID    string `json:"msg_id"`
		Other string `json:"message_id"`
	} `json:"data"`
}

// Errors of Zalo that mean something here. All others are about this message, this person or this account, and come again.
const (
	codeToken    = -216 // the access token is no more (Official Account)
	codeTokenZNS = -124 // the same, of ZNS
	codeUnknown  = -100 // "try again later"
	codeRate     = -32
)

// call makes a request, with a new token once when Zalo refuses the one at hand.
func (a *api) call(ctx context.Context, body any) (string, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("zalo: %w", err)
	}
	stale := ""
	for {
		token, err := a.tokens.Access(ctx, stale)
		if err != nil {
			return "", err
		}
		r, err := a.once(ctx, token, raw)
		switch {
		case err != nil:
			return "", err
		case r.Error == 0 && r.Data.ID != "":
			return r.Data.ID, nil
		case r.Error == 0:
			return r.Data.Other, nil
		case (r.Error == codeToken || r.Error == codeTokenZNS) && stale == "":
			stale = token
			continue
		}
		err = fmt.Errorf("zalo: error %d%s", r.Error, outbound.Said([]byte(r.Message)))
		if r.Error == codeUnknown || r.Error == codeRate {
			return "", err
		}
		return "", fmt.Errorf("%w: %w", notify.ErrPermanent, err)
	}
}

func (a *api) once(ctx context.Context, token string, body []byte) (reply, error) {
	answer, err := outbound.Post(ctx, a.client, http.MethodPost, a.url, http.Header{"Content-Type": {"application/json"}, "Access_token": {token}}, bytes.NewReader(body))
	if err != nil {
		return reply{}, fmt.Errorf("zalo: %w", outbound.Unreachable(err))
	}
	if !answer.OK() {
		return reply{}, fmt.Errorf("zalo: %w", outbound.Fault(answer, outbound.Said(answer.Said), a.now()))
	}
	return parseReply(answer.Said)
}

// parseReply reads an answer. One without error says nothing of success.
func parseReply(said []byte) (reply, error) {
	var has struct {
		Error *int `json:"error"`
	}
	var r reply
	if err := json.Unmarshal(said, &has); err != nil || has.Error == nil {
		return reply{}, fmt.Errorf("zalo: the answer cannot be read%s", outbound.Said(said))
	}
	if err := json.Unmarshal(said, &r); err != nil {
		if *has.Error != 0 {
			return reply{Error: *has.Error}, nil // it failed, whatever else it says
		}
		return reply{}, fmt.Errorf("zalo: the answer cannot be read%s", outbound.Said(said))
	}
	return r, nil
}

// Param is one value of the template: a text with {{subject}}, {{text}}, {{short}}, {{link}}, {{time}} or {{id}}, and how many characters Zalo
// lets it have.
type Param struct {
	Name string
	Text string
	Most int
}

// ZNS sends templates to telephone numbers.
type ZNS struct {
	api
	template    string
	params      []Param
	development bool
}

// ZNSOptions are the settings of NewZNS.
type ZNSOptions struct {
	URL         string // TemplateURL
	Template    string
	Params      []Param
	Development bool // Zalo sends to administrators of the account only, and charges nothing
}

// NewZNS returns the channel.
func NewZNS(client *http.Client, tokens *Tokens, o ZNSOptions) (*ZNS, error) {
	for _, p := range o.Params {
		for _, m := range placeholder.FindAllStringSubmatch(p.Text, -1) {
			if _, ok := values(notify.Message{})[m[1]]; !ok {
				return nil, fmt.Errorf("{{%s}}: nothing has this name: there are subject, text, short, link, time, id", m[1])
			}
		}
	}
	return &ZNS{api{client, tokens, o.URL, tokens.Now}, o.Template, o.Params, o.Development}, nil
}

// Name is "zalo".
func (z *ZNS) Name() string { return NameZNS }

// CheckAddress takes a telephone number as people write it.
func (z *ZNS) CheckAddress(to string) (string, error) {
	n, err := number.Parse(to)
	if err != nil {
		return "", fmt.Errorf("zalo: %w", err)
	}
	return n, nil
}

// Send sends m as the template. Its reference is Zalo's id.
func (z *ZNS) Send(ctx context.Context, m notify.Message) (string, error) {
	to, err := z.CheckAddress(m.To)
	if err != nil {
		return "", fmt.Errorf("%w: %w", notify.ErrPermanent, err)
	}
	data := map[string]string{}
	for _, p := range z.params {
		data[p.Name] = cut(fill(p.Text, m), p.Most)
	}
	body := map[string]any{"phone": strings.TrimPrefix(to, "+"), "template_id": z.template, "template_data": data, "tracking_id": m.ID}
	if z.development {
		body["mode"] = "development"
	}
	return z.call(ctx, body)
}

var placeholder = regexp.MustCompile(`\{\{\s*([a-z_]+)\s*\}\}`)

func values(m notify.Message) map[string]string {
	return map[string]string{
		"subject": m.Subject, "text": m.Text, "short": m.Short, "link": m.Link, "id": m.ID, "time": m.Created.In(farm.Time()).Format("15:04 02/01/2006"),
	}
}

// fill puts what a message says into a template, on one line: Zalo's templates take no breaks.
func fill(text string, m notify.Message) string {
	all := values(m)
	text = placeholder.ReplaceAllStringFunc(text, func(s string) string { return all[placeholder.FindStringSubmatch(s)[1]] })
	return strings.Join(strings.Fields(text), " ")
}

// cut shortens a text to n characters; 0: as it is.
func cut(s string, n int) string {
	if n <= 0 || utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// OA sends texts from the Official Account.
type OA struct{ api }

// mostText is how long a text of an Official Account may be, characters.
const mostText = 2000

// NewOA returns the channel; url is TextURL.
func NewOA(client *http.Client, tokens *Tokens, url string) *OA {
	return &OA{api{client, tokens, url, tokens.Now}}
}

// Name is "zalo_oa".
func (o *OA) Name() string { return NameOA }

// CheckAddress takes the id that somebody has for the Official Account, which is a number of up to 20 digits.
func (o *OA) CheckAddress(to string) (string, error) {
	to = strings.TrimSpace(to)
	if len(to) < 8 || len(to) > 20 || strings.Trim(to, "0123456789") != "" {
		return "", fmt.Errorf("zalo: %q is no user id of the Official Account: it has digits only; find it on oa.zalo.me, in the list of followers", to)
	}
	return to, nil
}

// Send sends m's text. Its reference is Zalo's id.
func (o *OA) Send(ctx context.Context, m notify.Message) (string, error) {
	to, err := o.CheckAddress(m.To)
	if err != nil {
		return "", fmt.Errorf("%w: %w", notify.ErrPermanent, err)
	}
	text := m.Text
	if m.Link != "" && !strings.Contains(text, m.Link) {
		text = cut(text, mostText-len(m.Link)-1) + "\n" + m.Link
	}
	return o.call(ctx, map[string]any{"recipient": map[string]string{"user_id": to}, "message": map[string]string{"text": cut(text, mostText)}})
}

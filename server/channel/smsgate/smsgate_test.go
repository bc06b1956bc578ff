package smsgate_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"aovuon/server/channel/outbound"
	"aovuon/server/channel/smsgate"
	"aovuon/server/watch/notify"
)

var now = time.Date(2026, 11, 26, 20, 11, 5, 0, time.UTC)

// provider is a server that keeps what it was asked.
type provider struct {
	*httptest.Server
	status int
	says   string
	got    *http.Request
	body   string
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{status: 200, says: `{"CodeResult":"100","SMSID":"abc-1"}`}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		p.got, p.body = r, string(raw)
		w.WriteHeader(p.status)
		io.WriteString(w, p.says) //nolint:errcheck // the test would see it
	}))
	t.Cleanup(p.Close)
	return p
}

func channel(t *testing.T, tpl smsgate.Template) *smsgate.Channel {
	t.Helper()
	client := outbound.New(outbound.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	t.Cleanup(client.CloseIdleConnections)
	c, err := smsgate.New(client, tpl, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func jsonTemplate(p *provider) smsgate.Template {
	return smsgate.Template{
		URL: p.URL + "/send", Header: map[string]string{"Content-Type": "application/json; charset=utf-8", "Authorization": "Bearer {{secret}}"}, Number: smsgate.Bare,
		Body:    `{"ApiKey":"{{ key }}","Phone":"{{to}}","Content":"{{text}}","RequestId":"{{id}}","SmsType":"2"}`,
		Secrets: map[string]string{"key": `k"1`, "secret": "s3cret"},
		Success: smsgate.Success{Path: "CodeResult", Is: []string{"100", "124"}, Final: []string{"99", "101"}}, Reference: "SMSID",
	}
}

func message() notify.Message {
	return notify.Message{ID: "01JDMESSAGE", To: "+84912345678", Short: "Ao 1: \"oxy\" 2,1 & {{key}}\nBat quat <ngay>", Text: "Ao 1: ôxy 2,1"}
}

func TestSend_ValuesAreWrittenAsThePlaceNeedsIt(t *testing.T) {
	p := newProvider(t)
	m := message()
	ref, err := channel(t, jsonTemplate(p)).Send(t.Context(), m)
	if err != nil || ref != "abc-1" {
		t.Fatal(ref, err)
	}
	var got map[string]string
	if err := json.Unmarshal([]byte(p.body), &got); err != nil {
		t.Fatalf("%v: %s", err, p.body)
	}
	if got["Content"] != m.Short || got["Phone"] != "84912345678" || got["ApiKey"] != `k"1` || got["RequestId"] != m.ID || p.got.Header.Get("Authorization") != "Bearer s3cret" || p.got.Method != http.MethodPost {
		t.Errorf("%v %v", got, p.got.Header)
	}

	form := jsonTemplate(p)
	form.Header, form.Body, form.Number, form.Method = map[string]string{"content-type": "application/x-www-form-urlencoded"}, "to={{to}}&text={{text}}&full={{full}}", smsgate.Local, "PUT"
	if _, err := channel(t, form).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if v, err := url.ParseQuery(p.body); err != nil || v.Get("to") != "0912345678" || v.Get("text") != m.Short || v.Get("full") != m.Text || p.got.Method != http.MethodPut {
		t.Errorf("%s %v", p.body, err)
	}

	get := jsonTemplate(p)
	get.Header, get.Body, get.Method, get.URL, get.Number = nil, "", "GET", p.URL+"/send?to={{to}}&text={{text}}&key={{key}}", smsgate.Plus
	if _, err := channel(t, get).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if v := p.got.URL.Query(); v.Get("to") != "+84912345678" || v.Get("text") != m.Short || v.Get("key") != `k"1` || p.body != "" {
		t.Errorf("%v", v)
	}

	soap := jsonTemplate(p)
	soap.Header, soap.Body = map[string]string{"Content-Type": "text/xml"}, "<sms><to>{{to}}</to><text>{{text}}</text></sms>"
	if _, err := channel(t, soap).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	var x struct {
		Text string `xml:"text"`
	}
	if err := xml.Unmarshal([]byte(p.body), &x); err != nil || x.Text != m.Short {
		t.Errorf("%s %v", p.body, err)
	}
}

func TestSend_HTTP200IsNotSuccess(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		says   string
		want   string // sent, final, again
	}{
		"sent":             {200, `{"CodeResult":"100"}`, "sent"},
		"sent before":      {200, `{"CodeResult":124}`, "sent"},
		"wrong key":        {200, `{"CodeResult":"101","ErrorMessage":"Bearer s3cret"}`, "final"},
		"blocked":          {200, `{"CodeResult":99}`, "final"},
		"no balance":       {200, `{"CodeResult":"103"}`, "again"},
		"no code":          {200, `{}`, "again"},
		"code in a list":   {200, `{"CodeResult":["100"]}`, "again"},
		"no JSON":          {200, `<html>ok 100</html>`, "again"},
		"empty":            {200, ``, "again"},
		"broken":           {500, `{"CodeResult":"100"}`, "again"},
		"unauthorised":     {401, `s3cret is wrong`, "final"},
		"moved":            {302, ``, "final"},
		"too many at once": {429, ``, "again"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t)
			p.status, p.says = tc.status, tc.says
			ref, err := channel(t, jsonTemplate(p)).Send(t.Context(), message())
			got := "again"
			switch {
			case err == nil:
				got = "sent"
			case errors.Is(err, notify.ErrPermanent):
				got = "final"
			}
			if got != tc.want || err != nil && strings.Contains(err.Error(), "s3cret") || err == nil && ref != "01JDMESSAGE" {
				t.Errorf("%s %q: %v", got, ref, err)
			}
		})
	}
}

func TestSend_AnswersThatAreNoJSON(t *testing.T) {
	p := newProvider(t)
	tpl := jsonTemplate(p)
	tpl.Success, tpl.Reference = smsgate.Success{Contains: "OK:"}, ""
	for says, good := range map[string]bool{"OK: 17": true, "ERR: 3": false} {
		p.says = says
		if _, err := channel(t, tpl).Send(t.Context(), message()); (err == nil) != good {
			t.Errorf("%s: %v", says, err)
		}
	}
	tpl = jsonTemplate(p)
	tpl.Success, tpl.Reference = smsgate.Success{Path: "data.1.status", Is: []string{"true"}}, "data.1.id"
	p.says = `{"data":[{},{"status":true,"id":12345678901234567890}]}`
	if ref, err := channel(t, tpl).Send(t.Context(), message()); err != nil || ref != "12345678901234567890" {
		t.Error(ref, err)
	}
}

func TestSend_BadNumbersGoNowhere(t *testing.T) {
	p := newProvider(t)
	m := message()
	m.To = "912"
	if _, err := channel(t, jsonTemplate(p)).Send(t.Context(), m); !errors.Is(err, notify.ErrPermanent) || p.got != nil {
		t.Error(err)
	}
}

func TestNew_SaysWhatIsWrong(t *testing.T) {
	p := newProvider(t)
	for want, change := range map[string]func(*smsgate.Template){
		"url":          func(x *smsgate.Template) { x.URL = "sms.example" },
		"method":       func(x *smsgate.Template) { x.Method = "BREW" },
		"Content-Type": func(x *smsgate.Template) { x.Header = nil },
		"text/plain":   func(x *smsgate.Template) { x.Header = map[string]string{"Content-Type": "image/png"} },
		"number":       func(x *smsgate.Template) { x.Number = "" },
		"is: missing":  func(x *smsgate.Template) { x.Success.Is = nil },
		"one of the":   func(x *smsgate.Template) { x.Success.Contains = "x" },
		"{{nam}}":      func(x *smsgate.Template) { x.Body += "{{nam}}" },
		"no {{to}}":    func(x *smsgate.Template) { x.Body = "{{text}}" },
		"one line":     func(x *smsgate.Template) { x.Header["X-A"] = "a\r\nb" },
	} {
		tpl := jsonTemplate(p)
		change(&tpl)
		if _, err := smsgate.New(http.DefaultClient, tpl, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

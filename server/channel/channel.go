// Package channel opens the ways in which people are told of alarms, as the configuration names them: each a folder here, each a
// notify.Channel. Configuration, the data folder with the keys of channels, and a clock come in; channels go out. README.md has the table of
// them, what each calls delivered, and what it needs of others.
package channel

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aovuon/server/channel/bulletin"
	mailchannel "aovuon/server/channel/mail"
	"aovuon/server/channel/modem"
	"aovuon/server/channel/outbound"
	"aovuon/server/channel/push"
	"aovuon/server/channel/siren"
	"aovuon/server/channel/smsgate"
	"aovuon/server/channel/webhook"
	"aovuon/server/channel/zalo"
	"aovuon/server/watch/notify"
)

// Options are what channels need beside their configuration.
type Options struct {
	DataDir string // keys of channels are made and kept here
	Now     func() time.Time
	Log     *slog.Logger
	Sirens  siren.Gateways // nil: nobody can ask gateways, and there are no sirens
}

// Open opens the channels that c names, in the order in which the page of contacts offers them. What a channel holds open beyond a message is
// opened and closed by its own methods.
func Open(c Config, o Options) ([]notify.Channel, error) {
	allow, err := c.allow()
	if err != nil {
		return nil, fmt.Errorf("channels.allow: %w", err)
	}
	client := outbound.New(outbound.Options{Allow: allow})
	var out []notify.Channel
	for _, open := range []func() ([]notify.Channel, error){
		func() ([]notify.Channel, error) { return openSiren(c.Siren, o) },
		func() ([]notify.Channel, error) { return openPush(c.Push, client, o) },
		func() ([]notify.Channel, error) { return openSMS(c.SMS, client, o) },
		func() ([]notify.Channel, error) { return openZalo(c.Zalo, client, o) },
		func() ([]notify.Channel, error) { return openMail(c.Mail, o) },
		func() ([]notify.Channel, error) { return openWebhook(c.Webhook, client, o) },
		func() ([]notify.Channel, error) { return openBulletin(c.Bulletin) },
	} {
		list, err := open()
		if err != nil {
			return nil, fmt.Errorf("channels: %w", err)
		}
		out = append(out, list...)
	}
	return out, nil
}

func openSiren(s *Siren, o Options) ([]notify.Channel, error) {
	if s == nil || o.Sirens == nil {
		return nil, nil
	}
	return []notify.Channel{siren.New(siren.Options{Gateways: o.Sirens, Length: time.Duration(s.Minutes) * time.Minute, Now: o.Now})}, nil
}

func openBulletin(b *Bulletin) ([]notify.Channel, error) {
	if b == nil {
		return nil, nil
	}
	return []notify.Channel{bulletin.New(b.Dir)}, nil
}

// VAPIDKeyFile is where the key lies that browsers' subscriptions are bound to.
func VAPIDKeyFile(dataDir string) string { return filepath.Join(dataDir, "vapid.key") }

func openPush(p *Push, client *http.Client, o Options) ([]notify.Channel, error) {
	if p == nil {
		return nil, nil
	}
	path := VAPIDKeyFile(o.DataDir)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeFile(path, push.NewKey); err != nil {
			return nil, err
		}
		raw, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("push: %w", err)
	}
	key, err := push.ParseKey(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: put back the copy of a backup, or remove the file; every phone must then ask again", path, err)
	}
	return []notify.Channel{push.New(client, key, p.Contact, o.Now)}, nil
}

func openSMS(s *SMS, client *http.Client, o Options) ([]notify.Channel, error) {
	switch {
	case s == nil:
		return nil, nil
	case s.Gateway != nil:
		for _, x := range s.Gateway.Secrets {
			if _, err := secret(x.File); err != nil {
				return nil, fmt.Errorf("sms.gateway.secrets: %w", err)
			}
		}
		ch, err := smsgate.New(client, s.Gateway.template(secret), o.Now)
		if err != nil {
			return nil, fmt.Errorf("sms.gateway: %w", err)
		}
		return []notify.Channel{ch}, nil
	}
	opts := modem.Options{
		Open: modem.OpenPort(s.Modem.Device, cmp.Or(s.Modem.Baud, 115200)), Refused: filepath.Join(o.DataDir, "modem-refused-pin"), Centre: s.Modem.Centre, Now: o.Now, Log: o.Log,
	}
	if s.Modem.PINFile != "" {
		var err error
		if opts.PIN, err = secret(s.Modem.PINFile); err != nil {
			return nil, fmt.Errorf("sms.modem.pin_file: %w", err)
		}
		if len(opts.PIN) < 4 || len(opts.PIN) > 8 || strings.Trim(opts.PIN, "0123456789") != "" {
			return nil, errors.New("sms.modem.pin_file: a PIN has 4 to 8 digits")
		}
	}
	return []notify.Channel{modem.New(opts)}, nil
}

// ZaloTokenFile is where the tokens of the Official Account lie.
func ZaloTokenFile(dataDir string) string { return filepath.Join(dataDir, "zalo-token.json") }

func openZalo(z *Zalo, client *http.Client, o Options) ([]notify.Channel, error) {
	if z == nil {
		return nil, nil
	}
	key, err := secret(z.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("zalo.secret_file: %w", err)
	}
	tokens := &zalo.Tokens{Client: client, URL: zalo.TokenURL, AppID: z.AppID, Secret: key, File: ZaloTokenFile(o.DataDir), Now: o.Now}
	var out []notify.Channel
	if z.ZNS != nil {
		ch, err := zalo.NewZNS(client, tokens, zalo.ZNSOptions{URL: zalo.TemplateURL, Template: z.ZNS.Template, Params: z.ZNS.params(), Development: z.ZNS.Development})
		if err != nil {
			return nil, fmt.Errorf("zalo.zns: %w", err)
		}
		out = append(out, ch)
	}
	if z.OA {
		out = append(out, zalo.NewOA(client, tokens, zalo.TextURL))
	}
	return out, nil
}

func openMail(m *Mail, o Options) ([]notify.Channel, error) {
	if m == nil {
		return nil, nil
	}
	from, err := mail.ParseAddress(m.From)
	if err != nil {
		return nil, fmt.Errorf("mail.from: %w", err)
	}
	opts := mailchannel.Options{Server: m.Server, Security: mailchannel.Security(m.TLS), Username: m.Username, From: *from, ReplyTo: m.ReplyTo, Now: o.Now}
	if m.TLS == "" {
		opts.Security = mailchannel.StartTLS
	}
	if m.PasswordFile != "" {
		if opts.Password, err = secret(m.PasswordFile); err != nil {
			return nil, fmt.Errorf("mail.password_file: %w", err)
		}
	}
	if opts.TLS, err = authorities(m.CAFile); err != nil {
		return nil, fmt.Errorf("mail.ca_file: %w", err)
	}
	return []notify.Channel{mailchannel.New(opts)}, nil
}

// WebhookKeyFile is where the secret lies from which the keys of webhooks are drawn.
func WebhookKeyFile(dataDir string) string { return filepath.Join(dataDir, "webhook.key") }

func openWebhook(w *Webhook, client *http.Client, o Options) ([]notify.Channel, error) {
	if w == nil || !w.On {
		return nil, nil
	}
	key, err := LoadOrMakeKey(WebhookKeyFile(o.DataDir))
	if err != nil {
		return nil, err
	}
	return []notify.Channel{webhook.New(client, key, o.Now)}, nil
}

// authorities are those of a PEM file; none without one.
func authorities(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		return nil, fmt.Errorf("%s holds no certificate (PEM)", file)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

// secret reads a file with one secret.
func secret(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	s := strings.TrimSpace(string(raw))
	if s == "" {
		return "", errors.New(path + " is empty")
	}
	return s, nil
}

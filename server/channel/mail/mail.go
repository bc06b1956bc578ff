// Package mail sends alarms as e-mail through the co-op's mail server.
//
// Messages come in; each goes out in a conversation of its own (SMTP submission, RFC 6409: TLS from the first byte or by STARTTLS,
// AUTH PLAIN or LOGIN), with the same Message-ID at every attempt, so that a second delivery shows as one. What the server answers decides
// whether a message is tried again (4xx, no answer) or never (5xx).
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"aovuon/server/watch/notify"
)

// Name is the channel's.
const Name = "mail"

// Security is how a conversation is kept from others.
type Security string

// The ways.
const (
	StartTLS Security = "starttls" // asked for in the conversation; a server that does not offer it is not talked to
	TLS      Security = "tls"      // from the first byte, port 465
	None     Security = "none"     // for a mail server on this machine; passwords are never sent
)

// Options are the settings of New.
type Options struct {
	Server   string // host:port
	Security Security
	TLS      *tls.Config // nil: the system's authorities
	Username string      // empty: no AUTH
	Password string
	From     mail.Address
	ReplyTo  string        // address; may be empty
	Timeout  time.Duration // of a conversation; 0: 20 s
	Now      func() time.Time
}

// Channel sends mail.
type Channel struct{ o Options }

// New returns the channel.
func New(o Options) *Channel {
	if o.Timeout == 0 {
		o.Timeout = 20 * time.Second
	}
	return &Channel{o}
}

// Name is "mail".
func (c *Channel) Name() string { return Name }

// CheckAddress takes a mail address as people write it and returns it bare.
func (c *Channel) CheckAddress(to string) (string, error) {
	a, err := mail.ParseAddress(strings.TrimSpace(to))
	switch {
	case err != nil || len(a.Address) > 254: // RFC 5321 §4.5.3.1.3
		return "", fmt.Errorf("mail: %q is no mail address: write it like ten@example.vn", to)
	case !ascii(a.Address):
		return "", fmt.Errorf("mail: %q has letters that mail servers do not take in addresses: write it without diacritics", to)
	}
	return a.Address, nil
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < 0x21 || r > 0x7e }) < 0
}

// Send hands m to the mail server. Its reference is the Message-ID.
func (c *Channel) Send(ctx context.Context, m notify.Message) (string, error) {
	to, err := c.CheckAddress(m.To)
	if err != nil {
		return "", fmt.Errorf("%w: %w", notify.ErrPermanent, err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	id := c.messageID(m.ID)
	if err := c.converse(ctx, to, c.compose(m, to, id)); err != nil {
		return "", fmt.Errorf("mail: %w", err)
	}
	return id, nil
}

// converse is one conversation with the server. ctx ends it wherever it is.
func (c *Channel) converse(ctx context.Context, to string, text []byte) (err error) {
	host, _, err := net.SplitHostPort(c.o.Server)
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.o.Server)
	if err != nil {
		return err
	}
	raw := conn
	stop := context.AfterFunc(ctx, func() { raw.Close() }) //nolint:errcheck // it is given up
	defer func() {
		stop()
		raw.Close() //nolint:errcheck // after QUIT, or given up: what matters was answered before
		if err != nil && ctx.Err() != nil {
			err = fmt.Errorf("%s did not answer in time: %w", c.o.Server, ctx.Err())
		}
	}()
	conf := c.o.TLS.Clone()
	if conf == nil {
		conf = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if conf.ServerName == "" {
		conf.ServerName = host
	}
	if c.o.Security == TLS {
		conn = tls.Client(conn, conf)
	}
	s, err := smtp.NewClient(conn, host)
	if err != nil {
		return judge("greeting", err)
	}
	if err := c.introduce(s, conf); err != nil {
		return err
	}
	return c.hand(s, to, text)
}

// introduce says who we are, in private.
func (c *Channel) introduce(s *smtp.Client, conf *tls.Config) error {
	if err := s.Hello(c.domain()); err != nil {
		return judge("EHLO", err)
	}
	if c.o.Security == StartTLS {
		if ok, _ := s.Extension("STARTTLS"); !ok {
			return fmt.Errorf("%w: %s offers no STARTTLS: set tls: tls (port 465), or ask who runs it", notify.ErrPermanent, c.o.Server)
		}
		if err := s.StartTLS(conf); err != nil {
			return judge("STARTTLS", err)
		}
	}
	if c.o.Username == "" {
		return nil
	}
	auth, err := c.auth(s)
	if err != nil {
		return err
	}
	return judge("AUTH", s.Auth(auth))
}

// hand gives the text to the server. QUIT is a courtesy: what was accepted stays so.
func (c *Channel) hand(s *smtp.Client, to string, text []byte) error {
	if err := s.Mail(c.o.From.Address); err != nil {
		return judge("MAIL FROM", err)
	}
	if err := s.Rcpt(to); err != nil {
		return judge("RCPT TO", err)
	}
	w, err := s.Data()
	if err != nil {
		return judge("DATA", err)
	}
	if _, err := w.Write(text); err != nil {
		return judge("text", err)
	}
	if err := w.Close(); err != nil {
		return judge("text", err)
	}
	s.Quit() //nolint:errcheck // see above
	return nil
}

// judge says what an answer to a command means for the message: 5xx is for good (RFC 5321 §4.2.1), but for 552, a mailbox that is full at
// this moment (RFC 5321 §4.5.3.1.10).
func judge(command string, err error) error {
	var said *textproto.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &said) && said.Code/100 == 5 && said.Code != 552:
		return fmt.Errorf("%w: %s: %w", notify.ErrPermanent, command, err)
	}
	return fmt.Errorf("%s: %w", command, err)
}

// domain is that of the sender: what EHLO and message ids name.
func (c *Channel) domain() string {
	return c.o.From.Address[strings.LastIndexByte(c.o.From.Address, '@')+1:]
}

func (c *Channel) messageID(id string) string { return "<" + id + "@" + c.domain() + ">" }

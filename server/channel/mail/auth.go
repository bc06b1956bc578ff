package mail

import (
	"errors"
	"fmt"
	"net/smtp"
	"slices"
	"strings"

	"aovuon/server/watch/notify"
)

// auth picks how to say the password: PLAIN, or LOGIN for servers that know nothing else. Neither is used without TLS.
func (c *Channel) auth(s *smtp.Client) (smtp.Auth, error) {
	_, offered := s.Extension("AUTH")
	ways := strings.Fields(strings.ToUpper(offered))
	switch {
	case c.o.Security == None:
		return nil, fmt.Errorf("%w: a password is not sent without TLS", notify.ErrPermanent)
	case slices.Contains(ways, "PLAIN"):
		return plain{c.o.Username, c.o.Password}, nil
	case slices.Contains(ways, "LOGIN"):
		return &login{c.o.Username, c.o.Password}, nil
	}
	return nil, fmt.Errorf("%w: %s offers no way to sign in that is known here (PLAIN, LOGIN), but %q", notify.ErrPermanent, c.o.Server, offered)
}

// errNoTLS is a conversation that turned out to be open.
var errNoTLS = errors.New("a password is not sent without TLS")

// plain is RFC 4616. The one of net/smtp sends to localhost without TLS; this one never does.
type plain struct{ username, password string }

func (a plain) Start(s *smtp.ServerInfo) (string, []byte, error) {
	if !s.TLS {
		return "", nil, errNoTLS
	}
	return "PLAIN", []byte("\x00" + a.username + "\x00" + a.password), nil
}

func (plain) Next([]byte, bool) ([]byte, error) { return nil, nil }

// login is AUTH LOGIN (draft-murchison-sasl-login): two questions, whose wording differs.
type login struct{ username, password string }

func (a *login) Start(s *smtp.ServerInfo) (string, []byte, error) {
	if !s.TLS {
		return "", nil, errNoTLS
	}
	return "LOGIN", nil, nil
}

func (a *login) Next(question []byte, more bool) ([]byte, error) {
	q := strings.ToLower(string(question))
	switch {
	case !more:
		return nil, nil
	case strings.HasPrefix(q, "user"):
		return []byte(a.username), nil
	case strings.HasPrefix(q, "pass"):
		return []byte(a.password), nil
	}
	return nil, fmt.Errorf("the server asks %q", question)
}

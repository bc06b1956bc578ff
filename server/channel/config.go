package channel

import (
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"strconv"
	"strings"
	"time"

	mailchannel "aovuon/server/channel/mail"
	"aovuon/server/channel/siren"
)

// Config says how people can be told of alarms. A channel that is not named is not there.
type Config struct {
	// Allow names networks that webhooks and gateways of others may reach although they are not the Internet, such as 192.168.1.0/24.
	Allow   []string `yaml:"allow"`
	Siren   *Siren   `yaml:"siren"`
	Mail    *Mail    `yaml:"mail"`
	Push    *Push    `yaml:"push"`
	SMS     *SMS     `yaml:"sms"`
	Zalo    *Zalo    `yaml:"zalo"`
	Webhook *Webhook `yaml:"webhook"`
	// Bulletin is the folder in which texts for loudspeakers are written.
	Bulletin *Bulletin `yaml:"bulletin"`
}

// Bulletin is on when it is there: contacts name who reads.
type Bulletin struct {
	Dir string `yaml:"dir"`
}

func (b *Bulletin) check() *Problem {
	if b != nil && b.Dir == "" {
		return &Problem{"channels.bulletin.dir", "missing", "name the folder that the texts are written into, such as /srv/loa"}
	}
	return nil
}

// Dirs lists folders that are made when they are needed, to be made absolute.
func (c *Config) Dirs() []*string {
	if c.Bulletin == nil {
		return nil
	}
	return []*string{&c.Bulletin.Dir}
}

// Siren is on when it is there: contacts name gateways whose sirens sound.
type Siren struct {
	Minutes int `yaml:"minutes"` // that one message sounds
}

func (s *Siren) check() *Problem {
	if s == nil || s.Minutes >= 1 && s.Minutes <= int(siren.Longest/time.Minute) {
		return nil
	}
	return &Problem{"channels.siren.minutes", strconv.Itoa(s.Minutes), "write 1 to 30, such as siren: { minutes: 5 }"}
}

// Mail is the co-op's mail server.
type Mail struct {
	Server       string `yaml:"server"`        // host:port
	TLS          string `yaml:"tls"`           // starttls (default), tls, or none for a server on this machine
	CAFile       string `yaml:"ca_file"`       // who signed the server's certificate; empty: the system knows them
	Username     string `yaml:"username"`      // empty: nobody signs in
	PasswordFile string `yaml:"password_file"` //
	From         string `yaml:"from"`          // "HTX Phú Khê <canhbao@htx.example>"
	ReplyTo      string `yaml:"reply_to"`
}

// Webhook is on when it is there: contacts name the addresses.
type Webhook struct {
	On bool `yaml:"on"`
}

// Problem is a value that cannot be worked with: which key, what is wrong, how to mend it.
type Problem struct{ Key, What, Mend string }

// File is a file that the configuration names.
type File struct {
	Key  string
	Path *string
	Mend string // what to do when it is missing
}

// Files lists what is named, to be made absolute and looked for. Keys are dotted and begin with channels.
func (c *Config) Files() []File {
	var f []File
	if m := c.Mail; m != nil {
		f = append(f, File{"channels.mail.password_file", &m.PasswordFile, "put the password of the mail account into this file"},
			File{"channels.mail.ca_file", &m.CAFile, "put the certificate of who signed the mail server's (PEM) there"})
	}
	return append(append(f, c.SMS.files()...), c.Zalo.files()...)
}

// Check finds the first value that cannot be meant, nil when there is none.
func (c *Config) Check() *Problem {
	if _, err := c.allow(); err != nil {
		return &Problem{"channels.allow", err.Error(), "write networks, such as [192.168.1.0/24]"}
	}
	for _, p := range []*Problem{c.Siren.check(), c.Mail.check(), c.Push.check(), c.SMS.check(), c.Zalo.check(), c.Webhook.check(), c.Bulletin.check()} {
		if p != nil {
			return p
		}
	}
	return nil
}

func (c *Config) allow() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range c.Allow {
		p, err := netip.ParsePrefix(s)
		if a, e := netip.ParseAddr(s); err != nil && e == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%q is no network", s)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

func (m *Mail) check() *Problem {
	if m == nil {
		return nil
	}
	switch from, err := mail.ParseAddress(m.From); {
	case !hostPort(m.Server):
		return &Problem{"channels.mail.server", fmt.Sprintf("%q is no address", m.Server), "write host:port, such as smtp.example.vn:587"}
	case m.TLS != "" && m.TLS != string(mailchannel.StartTLS) && m.TLS != string(mailchannel.TLS) && m.TLS != string(mailchannel.None):
		return &Problem{"channels.mail.tls", fmt.Sprintf("%q", m.TLS), "write starttls (port 587), tls (port 465), or none for a mail server on this machine"}
	case m.TLS == string(mailchannel.None) && !loopback(m.Server):
		return &Problem{"channels.mail.tls", "without TLS everybody on the way reads along", "write starttls or tls; none is for a mail server on this machine, 127.0.0.1"}
	case m.TLS == string(mailchannel.None) && m.Username != "":
		return &Problem{"channels.mail.username", "a password is not sent without TLS", "remove username and password_file, or set tls: starttls"}
	case (m.Username == "") != (m.PasswordFile == ""):
		return &Problem{"channels.mail.username", "username and password_file belong together", "name both, or neither"}
	case err != nil || strings.IndexFunc(from.Address, func(r rune) bool { return r > 0x7e }) >= 0:
		return &Problem{"channels.mail.from", fmt.Sprintf("%q is no sender", m.From), `write "HTX Phú Khê <canhbao@htx.example>"`}
	}
	if _, err := mail.ParseAddress(m.ReplyTo); m.ReplyTo != "" && err != nil {
		return &Problem{"channels.mail.reply_to", fmt.Sprintf("%q is no mail address", m.ReplyTo), "write it like ten@example.vn, or remove it"}
	}
	return nil
}

func (w *Webhook) check() *Problem {
	if w != nil && !w.On {
		return &Problem{"channels.webhook.on", "missing", "write webhook: { on: true }, or remove webhook"}
	}
	return nil
}

func hostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

func loopback(server string) bool {
	host, _, err := net.SplitHostPort(server)
	ip, bad := netip.ParseAddr(host)
	return err == nil && (host == "localhost" || bad == nil && ip.IsLoopback())
}

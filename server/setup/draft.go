package setup

import (
	"net"
	"net/mail"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"aovuon/gateway/wire"
	"aovuon/server/channel/number"
)

// Way says how the pages are reached and who vouches for them.
type Way string

// The ways.
const (
	LAN    Way = "lan"    // a local network: a certificate of the server's own authority
	Domain Way = "domain" // a name on the Internet: a certificate of Let's Encrypt
	Own    Way = "own"    // a certificate that somebody else made
)

// Ways returns every way, the commonest first.
func Ways() []Way { return []Way{LAN, Domain, Own} }

// Draft is what was filled in so far, as it was written. None of it is secret: the page is shown without TLS.
type Draft struct {
	Coop      string `json:"coop,omitempty"`       // name of the co-op in Vietnamese
	CoopEN    string `json:"coop_en,omitempty"`    // and in English; empty: as in Vietnamese
	Address   string `json:"address,omitempty"`    // where it is
	AddressEN string `json:"address_en,omitempty"` //
	Phone     string `json:"phone,omitempty"`      // that members call; empty: none is printed
	Name      string `json:"name,omitempty"`       // of the server's key

	Way      Way    `json:"way,omitempty"`
	LANHost  string `json:"lan_host,omitempty"`  // address or name on the local network
	Domain   string `json:"domain,omitempty"`    // name on the Internet
	Email    string `json:"email,omitempty"`     // whom Let's Encrypt and makers of browsers write to
	OwnHost  string `json:"own_host,omitempty"`  // name in the certificate
	CertFile string `json:"cert_file,omitempty"` // of this machine
	KeyFile  string `json:"key_file,omitempty"`  //
	Port     string `json:"port,omitempty"`      // of the pages; empty: 443
}

// Problem is what is wrong with a field; its words are install.wrong.CODE.
type Problem struct{ Field, Code string }

// Codes returns every code a Problem may have.
func Codes() []string {
	return []string{"missing", "long", "text", "name", "way", "host", "domain", "email", "phone", "file", "port", "reserved"}
}

// The most characters of a line.
const most = 200

// CheckCoop finds what is wrong with the first step.
func (d Draft) CheckCoop() (bad []Problem) {
	for _, f := range []struct {
		field, value string
		required     bool
	}{{"coop", d.Coop, true}, {"coop_en", d.CoopEN, false}, {"address", d.Address, true}, {"address_en", d.AddressEN, false}} {
		if code := line(f.value, f.required); code != "" {
			bad = append(bad, Problem{f.field, code})
		}
	}
	if !Phone(d.Phone) {
		bad = append(bad, Problem{"phone", "phone"})
	}
	if !wire.ValidGatewayID(d.Name) {
		bad = append(bad, Problem{"name", "name"})
	}
	return bad
}

// MostPhone is the most characters of a telephone number.
const MostPhone = 30

// Phone reports whether a text is a telephone number as people write one, or none.
func Phone(s string) bool {
	_, err := number.Parse(s)
	return s == "" || err == nil && len(s) <= MostPhone
}

func line(s string, required bool) string {
	switch {
	case required && s == "":
		return "missing"
	case utf8.RuneCountInString(s) > most:
		return "long"
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "text"
	}
	return ""
}

// CheckAddress finds what is wrong with the second step.
func (d Draft) CheckAddress() (bad []Problem) {
	if !slices.Contains(Ways(), d.Way) {
		return []Problem{{"way", "way"}}
	}
	add := func(field, code string, wrong bool) {
		if wrong {
			bad = append(bad, Problem{field, code})
		}
	}
	switch d.Way {
	case LAN:
		add("lan_host", "host", !host(d.LANHost))
	case Domain:
		add("domain", "domain", !RealName(d.Domain))
		add("email", "email", d.Email == "" || !address(d.Email))
	case Own:
		add("own_host", "host", !host(d.OwnHost))
		add("cert_file", "file", !filepath.IsAbs(d.CertFile) || line(d.CertFile, true) != "")
		add("key_file", "file", !filepath.IsAbs(d.KeyFile) || line(d.KeyFile, true) != "")
	}
	if d.Way != Domain {
		add("email", "email", d.Email != "" && !address(d.Email))
	}
	port, err := strconv.ParseUint(d.PortOr443(), 10, 16)
	add("port", "port", err != nil || port == 0)
	add("port", "reserved", err == nil && (port == 80 || port == brokerPort))
	return bad
}

// PortOr443 is the port of the pages.
func (d Draft) PortOr443() string {
	if d.Port == "" {
		return "443"
	}
	return d.Port
}

// Host is the name or address in the links of the way that was chosen.
func (d Draft) Host() string {
	switch d.Way {
	case Domain:
		return d.Domain
	case Own:
		return d.OwnHost
	case LAN:
	}
	return d.LANHost
}

// URL is what labels and links begin with.
func (d Draft) URL() string {
	h := d.Host()
	if port := d.PortOr443(); port != "443" {
		return "https://" + net.JoinHostPort(h, port)
	}
	if strings.Contains(h, ":") {
		h = "[" + h + "]"
	}
	return "https://" + h
}

func address(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && len(s) <= most
}

// host reports whether s is an address or a name a browser can be led to.
func host(s string) bool {
	if net.ParseIP(s) != nil {
		return true
	}
	if len(s) == 0 || len(s) > 253 {
		return false
	}
	for part := range strings.SplitSeq(s, ".") {
		if part == "" || len(part) > 63 || part[0] == '-' || part[len(part)-1] == '-' ||
			strings.ContainsFunc(part, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }) {
			return false
		}
	}
	return true
}

// RealName reports whether a host is a name that the whole Internet may know.
func RealName(s string) bool {
	if !host(s) || net.ParseIP(s) != nil || !strings.Contains(s, ".") {
		return false
	}
	return !slices.ContainsFunc([]string{".local", ".lan", ".internal", ".arpa", ".localhost", ".test"}, func(end string) bool { return strings.HasSuffix(s, end) })
}

package channel

import (
	"fmt"
	"regexp"

	"aovuon/server/channel/number"
	"aovuon/server/channel/smsgate"
)

// SMS is exactly one way of sending short messages. Contacts do not see which.
type SMS struct {
	Modem   *Modem   `yaml:"modem"`
	Gateway *Gateway `yaml:"gateway"`
}

// Modem is a modem with a SIM at this machine.
type Modem struct {
	Device  string `yaml:"device"`   // /dev/serial/by-id/usb-…
	Baud    int    `yaml:"baud"`     // 0: 115200
	PINFile string `yaml:"pin_file"` // PIN of the SIM; empty: it asks for none
	Centre  string `yaml:"centre"`   // number of the message centre; empty: the SIM knows it
}

// Gateway is a provider's HTTP interface (smsgate.Template).
type Gateway struct {
	Method    string            `yaml:"method"`
	URL       string            `yaml:"url"`
	Header    map[string]string `yaml:"header"`
	Body      string            `yaml:"body"`
	Number    string            `yaml:"number"`
	Secrets   []Secret          `yaml:"secrets"`
	Success   Success           `yaml:"success"`
	Reference string            `yaml:"reference"`
}

// Secret is a value that the configuration does not hold itself.
type Secret struct {
	Name string `yaml:"name"` // as {{name}} in the template
	File string `yaml:"file"`
}

// Success is where a provider's answer says what came of a message.
type Success struct {
	Path     string   `yaml:"path"`
	Is       []string `yaml:"is"`
	Final    []string `yaml:"final"`
	Contains string   `yaml:"contains"`
}

func (s *SMS) files() (f []File) {
	if s == nil {
		return nil
	}
	if s.Modem != nil {
		f = append(f, File{"channels.sms.modem.pin_file", &s.Modem.PINFile, "put the PIN of the SIM into this file"})
	}
	if s.Gateway != nil {
		for i := range s.Gateway.Secrets {
			f = append(f, File{"channels.sms.gateway.secrets", &s.Gateway.Secrets[i].File, "put the secret {{" + s.Gateway.Secrets[i].Name + "}} into this file"})
		}
	}
	return f
}

func (s *SMS) check() *Problem {
	switch {
	case s == nil:
		return nil
	case (s.Modem == nil) == (s.Gateway == nil):
		return &Problem{"channels.sms", "want exactly one of modem and gateway", "write sms: { modem: { device: /dev/serial/by-id/… } }"}
	case s.Modem != nil:
		return s.Modem.check()
	}
	return s.Gateway.check()
}

func (m *Modem) check() *Problem {
	switch {
	case m.Device == "":
		return &Problem{"channels.sms.modem.device", "missing", "write the modem's device, such as /dev/serial/by-id/usb-HUAWEI…-if00-port0"}
	case m.Baud < 0 || m.Baud > 4_000_000:
		return &Problem{"channels.sms.modem.baud", fmt.Sprint(m.Baud), "write the speed of the line, such as 115200, or remove it"}
	}
	if m.Centre != "" {
		if n, err := number.Parse(m.Centre); err != nil || n != m.Centre {
			return &Problem{"channels.sms.modem.centre", fmt.Sprintf("%q is no number", m.Centre), "write it like +84980200030, or remove it: the SIM knows it"}
		}
	}
	return nil
}

func (g *Gateway) check() *Problem {
	names := regexp.MustCompile(`^[a-z_]+$`)
	for _, s := range g.Secrets {
		if !names.MatchString(s.Name) || s.File == "" {
			return &Problem{"channels.sms.gateway.secrets", fmt.Sprintf("%q", s.Name), "write { name: key, file: sms.secret }, names of a to z and _"}
		}
	}
	if _, err := smsgate.New(nil, g.template(func(string) (string, error) { return "x", nil }), nil); err != nil {
		return &Problem{"channels.sms.gateway", err.Error(), "server example shows one"}
	}
	return nil
}

// template is g with its secrets read. One that cannot be read is left out: openSMS says so before.
func (g *Gateway) template(read func(file string) (string, error)) smsgate.Template {
	t := smsgate.Template{
		Method: g.Method, URL: g.URL, Header: g.Header, Body: g.Body, Number: smsgate.Form(g.Number), Secrets: map[string]string{}, Reference: g.Reference,
		Success: smsgate.Success{Path: g.Success.Path, Is: g.Success.Is, Final: g.Success.Final, Contains: g.Success.Contains},
	}
	for _, s := range g.Secrets {
		if v, err := read(s.File); err == nil {
			t.Secrets[s.Name] = v
		}
	}
	return t
}

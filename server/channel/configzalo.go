package channel

import (
	"fmt"
	"net/mail"
	"strings"

	"aovuon/server/channel/outbound"
	"aovuon/server/channel/zalo"
)

// Push is on when it is there: browsers ask for it on the page of one's account.
type Push struct {
	Contact string `yaml:"contact"` // whom the makers of browsers may write to: a mail address, or an https address
}

func (p *Push) check() *Problem {
	if p == nil {
		return nil
	}
	if a, err := mail.ParseAddress(p.Contact); err == nil && a.Address == p.Contact {
		return nil
	}
	if u, err := outbound.CheckURL(p.Contact); err == nil && u.Scheme == "https" {
		return nil
	}
	return &Problem{"channels.push.contact", fmt.Sprintf("%q", p.Contact), "write a mail address, such as canhbao@htx.example"}
}

// Zalo is the co-op's Official Account.
type Zalo struct {
	AppID      string `yaml:"app_id"`
	SecretFile string `yaml:"secret_file"` // secret key of the app
	ZNS        *ZNS   `yaml:"zns"`
	OA         bool   `yaml:"oa"` // texts to people who wrote to the account before
}

// ZNS is a template that Zalo approved.
type ZNS struct {
	Template    string  `yaml:"template"`
	Params      []Param `yaml:"params"`
	Development bool    `yaml:"development"` // to administrators of the account only, free of charge
}

// Param is one value of it.
type Param struct {
	Name string `yaml:"name"`
	Text string `yaml:"text"` // with {{subject}}, {{text}}, {{short}}, {{link}}, {{time}}, {{id}}
	Most int    `yaml:"most"` // characters that Zalo lets it have; 0: as it is
}

func (z *Zalo) files() []File {
	if z == nil {
		return nil
	}
	return []File{{"channels.zalo.secret_file", &z.SecretFile, "put the secret key of the Zalo app into this file"}}
}

func (z *Zalo) check() *Problem {
	switch {
	case z == nil:
		return nil
	case z.AppID == "" || strings.Trim(z.AppID, "0123456789") != "":
		return &Problem{"channels.zalo.app_id", fmt.Sprintf("%q", z.AppID), "write the number of the app, from developers.zalo.me, in quotes"}
	case z.SecretFile == "":
		return &Problem{"channels.zalo.secret_file", "missing", "name a file with the secret key of the app"}
	case z.ZNS == nil && !z.OA:
		return &Problem{"channels.zalo", "want zns, oa, or both", "write zns: { template: … }, or oa: true"}
	case z.ZNS == nil:
		return nil
	case z.ZNS.Template == "":
		return &Problem{"channels.zalo.zns.template", "missing", "write the number of the template, from the page of the Official Account, in quotes"}
	}
	for _, p := range z.ZNS.Params {
		if p.Name == "" || p.Text == "" || p.Most < 0 || p.Most > 1000 {
			return &Problem{"channels.zalo.zns.params", fmt.Sprintf("%q", p.Name), `write { name: noi_dung, text: "{{short}}", most: 100 }, as the template has it`}
		}
	}
	if _, err := zalo.NewZNS(nil, &zalo.Tokens{}, zalo.ZNSOptions{Params: z.ZNS.params()}); err != nil {
		return &Problem{"channels.zalo.zns.params", err.Error(), "use one of them"}
	}
	return nil
}

func (z *ZNS) params() []zalo.Param {
	out := make([]zalo.Param, len(z.Params))
	for i, p := range z.Params {
		out[i] = zalo.Param(p)
	}
	return out
}

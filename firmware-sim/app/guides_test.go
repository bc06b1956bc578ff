package app_test

import (
	"bytes"
	"strings"
	"testing"

	gateway "aovuon/gateway/app"
	server "aovuon/server/app"
	"aovuon/server/help"
	"aovuon/server/web"
)

// What a guide tells somebody to type is a command of the programs, with flags that it has.
func TestGuides_NameCommandsThatExist(t *testing.T) {
	l, err := help.Open(help.Pages{
		Picture: func(string) string { return "/" }, Word: func(_, key string) (string, bool) { return key, true }, File: func(string) (string, bool) { return "/", true },
	}, web.Shelves()...)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, lang := range help.Languages() {
		for _, g := range l.List(lang) {
			for _, c := range g.Commands {
				seen++
				words := strings.Fields(c.Text)
				program := map[string]func([]string, *bytes.Buffer) int{
					"gateway":       func(args []string, out *bytes.Buffer) int { return gateway.Main(args, out, out) },
					"server":        func(args []string, out *bytes.Buffer) int { return server.Main(args, out, out) },
					"aovuon-server": func(args []string, out *bytes.Buffer) int { return server.Main(args, out, out) },
				}[words[0]]
				var path, flags []string
				for _, w := range words[1:] {
					switch {
					case strings.HasPrefix(w, "-"):
						name, _, _ := strings.Cut(w, "=")
						flags = append(flags, name)
					case len(flags) == 0 && len(path) < 3 && strings.Trim(w, "abcdefghijklmnopqrstuvwxyz-") == "":
						path = append(path, w)
					}
				}
				var help string
				for n := len(path); n > 0 && help == ""; n-- { // "server audit ADDRESS": what follows a command are its arguments
					var out bytes.Buffer
					if program(append(append([]string(nil), path[:n]...), "--help"), &out) == 0 && strings.Contains(out.String(), strings.Join(path[:n], " ")) {
						help = out.String()
					}
				}
				if help == "" {
					t.Errorf("%s.%s.md:%d: there is no command %q", g.ID, lang, c.Line, c.Text)
				}
				for _, f := range flags {
					if !strings.Contains(help, f) {
						t.Errorf("%s.%s.md:%d: %q has no flag %s", g.ID, lang, c.Line, c.Text, f)
					}
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no guide names a command")
	}
}

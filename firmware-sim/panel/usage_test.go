package panel_test

import (
	"strings"
	"testing"

	"aovuon/firmware-sim/panel"
)

func TestUsage_MakesALine(t *testing.T) {
	said := map[string]string{
		"DEVICE": "ao1-ph", "VALUE": "7,01", "PLACE": "ao1", "KG": " 30 ", "lime|salt": "salt", "ID": "gw-ao", "RTT": "800", "KBPS": "", "FOR": "90m", "OFFSET": "−3", "WORDS": "a  b", "NAME": "an",
	}
	for help, want := range map[string]string{
		"dip DEVICE VALUE [CELSIUS] - a bottle":    "dip ao1-ph 7.01",
		"dip DEVICE out - back":                    "dip ao1-ph out",
		"act treat PLACE KG lime|salt - so":        "act treat ao1 30 salt",
		"act aerate PLACE KG [for HOURS] - so":     "act aerate ao1 30",
		"link ID slow RTT [KBPS]":                  "link gw-ao slow 800ms",
		"gateway ID power-cut [FOR] - no power":    "gateway gw-ao power-cut 90m",
		"gateway ID clock OFFSET - off":            "gateway gw-ao clock -3h",
		"drift DEVICE VALUE OFFSET - old":          "drift ao1-ph 7.01 -3",
		"say WORDS… - anything":                    "say a b",
		"greet [to NAME] [with WORD] - a greeting": "greet to an",
	} {
		got, ok, err := panel.LineOf(help, func(w string) string { return said[w] })
		if got != want || !ok || err != nil {
			t.Errorf("%s: %q, %v, %v; want %q", help, got, ok, err, want)
		}
	}
	for _, help := range []string{"", " - nothing", "help [VERB] - what there is", "VERB - no verb", "a [b c", "a b]c", "a x||y"} {
		if line, ok, _ := panel.LineOf(help, func(string) string { return "1" }); ok { //nolint:errcheck // it has no form
			t.Errorf("%q has a form: %q", help, line)
		}
	}
	for help, value := range map[string]string{"set DEVICE": "a b", "set VALUE": "seven", "set on|off": "maybe", "set KG": "", "set WORDS…": "a\x00b", "set [for HOURS]": "soon"} {
		if line, _, err := panel.LineOf(help, func(string) string { return value }); err == nil {
			t.Errorf("%s with %q: %q", help, value, line)
		}
	}
}

// Whatever help says and whatever is typed: a form is one command, of one line, of its own verb.
func FuzzUsage(f *testing.F) {
	f.Add("dip DEVICE VALUE [CELSIUS] - a bottle", "7,01")
	f.Add("act treat PLACE KG lime|salt", "lime")
	f.Add("say WORDS…", "a\nheal all")
	f.Add("link ID flap PERIOD", "30")
	f.Fuzz(func(t *testing.T, help, value string) {
		line, ok, err := panel.LineOf(help, func(string) string { return value })
		if !ok || err != nil {
			return
		}
		head, _, _ := strings.Cut(help, " - ")
		if strings.ContainsAny(line, "\r\n\x00") || strings.Fields(line)[0] != strings.TrimLeft(strings.Fields(head)[0], "[") {
			t.Errorf("%q with %q: %q", help, value, line)
		}
		if !strings.Contains(head, "…") && len(strings.Fields(line)) > len(strings.Fields(head)) {
			t.Errorf("%q with %q is longer: %q", help, value, line)
		}
	})
}

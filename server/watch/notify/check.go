package notify

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"aovuon/server/watch/rule"
)

// Bounds of a contact.
const (
	mostName      = 80 // characters
	mostAddresses = 8
	mostAddress   = 2000 // bytes: a push subscription is a small JSON text
	MostStep      = 9
)

// Check says what is wrong with a contact; the error wraps ErrContact. Whether an address is one, its channel knows (Checker).
func (c Contact) Check() error {
	wrong := func(format string, a ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrContact}, a...)...)
	}
	switch {
	case c.ID == "":
		return wrong("id: missing")
	case strings.TrimSpace(c.Name) == "" || utf8.RuneCountInString(c.Name) > mostName || !oneLine(c.Name):
		return wrong("name: want one line of at most %d characters", mostName)
	case c.Lang != "vi" && c.Lang != "en":
		return wrong("language %q: want vi or en", c.Lang)
	case c.Step < 0 || c.Step > MostStep:
		return wrong("step %d: want 0 to %d", c.Step, MostStep)
	case c.Level != rule.Warn && c.Level != rule.Crit:
		return wrong("level %q: want warn or crit", c.Level)
	case c.QuietFrom < 0 || c.QuietFrom >= 24*60 || c.QuietTo < 0 || c.QuietTo >= 24*60:
		return wrong("quiet hours: want times of the day")
	case len(c.Addresses) > mostAddresses:
		return wrong("%d addresses: at most %d", len(c.Addresses), mostAddresses)
	}
	for i, a := range c.Addresses {
		switch {
		case a.Channel == "" || a.To == "":
			return wrong("address %d: channel and address belong together", i+1)
		case len(a.To) > mostAddress || !oneLine(a.To):
			return wrong("address %d: want one line of at most %d bytes", i+1, mostAddress)
		case slices.Contains(c.Addresses[:i], a):
			return wrong("address %d: it is there twice", i+1)
		}
	}
	return nil
}

func oneLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// Digits returns the digits of a telephone number as it is dialled from abroad: 0912 345 678 and +84 912 345 678 are one.
func Digits(number string) string {
	var b strings.Builder
	for _, r := range number {
		if r >= '0' && r <= '9' {
			b.WriteRune(r)
		}
	}
	if d, ok := strings.CutPrefix(b.String(), "0"); ok && !strings.HasPrefix(strings.TrimSpace(number), "+") {
		return "84" + d
	}
	return b.String()
}

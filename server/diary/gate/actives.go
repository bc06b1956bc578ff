package gate

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"aovuon/server/farm"
)

//go:embed actives.csv
var activesCSV string

// Scope is where an active matters.
type Scope string

// The scopes.
const (
	Aquaculture Scope = "aquaculture" // banned in ponds
	OnCrops     Scope = "crop"        // banned on crops
	Drift       Scope = "drift"       // legal on crops, deadly to fish
)

// ScopeOf returns where a branch's bans are written.
func ScopeOf(b farm.Branch) Scope {
	if b == farm.Fish {
		return Aquaculture
	}
	return OnCrops
}

// Standing is how surely an active belongs to a list.
type Standing string

// The standings.
const (
	Listed     Standing = "listed"     // by name
	Member     Standing = "member"     // of a group that is listed as a group
	Unverified Standing = "unverified" // not compared with the list itself: warns, blocks nothing
)

// Active is one line of the table.
type Active struct {
	No       string   `json:"no,omitempty"` // of the list
	Scope    Scope    `json:"scope"`
	Group    string   `json:"group,omitempty"` // the words gate.group.GROUP
	Name     string   `json:"name"`
	Standing Standing `json:"standing"`
	Source   string   `json:"source,omitempty"`
}

// Table is a list of actives that matter, with how people write them.
type Table struct {
	Version string
	Status  string // said wherever the table is used: cần xác nhận
	rows    []row
}

type row struct {
	Active
	names  []name
	prefix []string
	suffix []string
}

// name is a way to write an active: its letters as fold leaves them, and how many of them are ours to guess at.
type name struct {
	folded string
	long   bool // long enough that one wrong letter is still it
}

// fewestToGuess is how many letters a name must have for a word with one wrong letter to be taken for it.
const fewestToGuess = 8

// columns of the table.
const columns = 8

// Actives returns the table that is built in. It panics if that cannot be read, which a test would have seen.
func Actives() *Table {
	t, err := ParseActives(activesCSV)
	if err != nil {
		panic(err)
	}
	return t
}

// ParseActives reads a table: CSV with a head and comments; its first lines say version and status. The error names the line.
func ParseActives(text string) (*Table, error) {
	t := &Table{}
	for line := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(line, "# version:"); ok {
			t.Version = strings.TrimSpace(v)
		}
		if v, ok := strings.CutPrefix(line, "# status:"); ok {
			t.Status = strings.TrimSpace(v)
		}
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comment, r.FieldsPerRecord = '#', columns
	all, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("gate: table of actives: %w", err)
	}
	if len(all) < 2 || t.Version == "" || t.Status == "" {
		return nil, fmt.Errorf("gate: table of actives: no rows, or no lines `# version:` and `# status:`")
	}
	for i, c := range all[1:] {
		row := row{Active: Active{No: c[0], Scope: Scope(c[1]), Group: c[2], Name: c[3], Standing: Standing(c[6]), Source: c[7]}}
		if !slices.Contains([]Scope{Aquaculture, OnCrops, Drift}, row.Scope) || !slices.Contains([]Standing{Listed, Member, Unverified}, row.Standing) || row.Name == "" {
			return nil, fmt.Errorf("gate: table of actives: row %d: scope %q, standing %q, active %q", i+1, c[1], c[6], c[3])
		}
		for _, n := range append([]string{c[3]}, split(c[4])...) {
			f := strings.Join(fold(n), "")
			if f == "" {
				return nil, fmt.Errorf("gate: table of actives: row %d: %q is no name", i+1, n)
			}
			row.names = append(row.names, name{f, utf8.RuneCountInString(f) >= fewestToGuess})
		}
		for _, s := range split(c[5]) {
			if end, ok := strings.CutPrefix(s, "*"); ok {
				row.suffix = append(row.suffix, strings.Join(fold(end), ""))
			} else {
				row.prefix = append(row.prefix, strings.Join(fold(strings.TrimSuffix(s, "*")), ""))
			}
		}
		t.rows = append(t.rows, row)
	}
	return t, nil
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "|")
}

// fold returns the words of a text as they sound: without case, diacritics, and the letters by which Vietnamese, French and English spellings
// of one active differ (cloramphenicol, furazolidon, đeltamethrin, enrofloxacine). Digits and letters are words of their own, so that
// dipterex90wp is dipterex.
func fold(s string) []string {
	var words []string
	var b []byte
	kind := 0 // of the word: 1 letters, 2 digits
	end := func() {
		if len(b) > 0 {
			words = append(words, sound(string(b)))
		}
		b, kind = b[:0], 0
	}
	for _, r := range norm.NFKD.String(strings.ToLower(s)) {
		now := 0
		switch {
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r):
			continue // an accent, or what nobody sees
		case r == 'đ':
			r, now = 'd', 1
		case r >= 'a' && r <= 'z':
			now = 1
		case r >= '0' && r <= '9':
			now = 2
		}
		if now != kind {
			end()
		}
		if now != 0 {
			b, kind = append(b, byte(r)), now
		}
	}
	end()
	return words
}

// sound leaves of a word what its spellings share.
func sound(w string) string {
	for _, p := range [][2]string{{"ph", "f"}, {"th", "t"}, {"ch", "c"}, {"rh", "r"}, {"ck", "c"}, {"k", "c"}, {"y", "i"}, {"ae", "e"}, {"oe", "e"}, {"ou", "uo"}} {
		w = strings.ReplaceAll(w, p[0], p[1])
	}
	var b []byte
	for i := range len(w) {
		if i == 0 || w[i] != w[i-1] || w[i] >= '0' && w[i] <= '9' {
			b = append(b, w[i])
		}
	}
	if len(b) > 4 && b[len(b)-1] == 'e' {
		b = b[:len(b)-1]
	}
	return string(b)
}

// Hit is an active that a text names.
type Hit struct {
	Active
	Word  string `json:"word"`            // as it sounds in the text
	Guess bool   `json:"guess,omitempty"` // the text has a letter otherwise: it warns, and blocks nothing
}

// Blocks reports whether it holds a lot, rather than warn.
func (h Hit) Blocks() bool { return !h.Guess && h.Standing != Unverified && h.Scope != Drift }

// Find returns the actives of a scope that a text names, one for each line of the table at most, in the table's order, and of a group's
// members those that are named: the group itself only where no member is.
func (t *Table) Find(text string, scope Scope) []Hit {
	words := fold(text)
	if len(words) == 0 {
		return nil
	}
	var out []Hit
	for _, r := range t.rows {
		if r.Scope != scope {
			continue
		}
		if w, ok := r.named(words); ok {
			out = append(out, Hit{Active: r.Active, Word: w})
		}
	}
	named := len(out)
	for _, r := range t.rows {
		if r.Scope != scope {
			continue
		}
		for i, w := range words {
			taken := slices.ContainsFunc(out, func(h Hit) bool { return strings.Contains(h.Word, w) })
			if !taken && r.stem(w) {
				out = append(out, Hit{Active: r.Active, Word: words[i]})
			}
		}
	}
	if named > 0 || len(out) > 0 {
		return out
	}
	for _, r := range t.rows {
		if r.Scope != scope {
			continue
		}
		if w, ok := r.nearly(words); ok {
			return []Hit{{Active: r.Active, Word: w, Guess: true}}
		}
	}
	return nil
}

// named reports whether words, one or several together, are a name of the row.
func (r row) named(words []string) (string, bool) {
	for _, n := range r.names {
		for i := range words {
			rest := n.folded
			for j := i; j < len(words); j++ {
				var ok bool
				if rest, ok = strings.CutPrefix(rest, words[j]); !ok {
					break
				}
				if rest == "" {
					return n.folded, true
				}
			}
		}
	}
	return "", false
}

// stem reports whether a word is built as the names of the row's group are.
func (r row) stem(w string) bool {
	for _, s := range r.suffix {
		if len(w) > len(s)+1 && strings.HasSuffix(w, s) {
			return true
		}
	}
	for _, s := range r.prefix {
		if len(w) > len(s) && strings.HasPrefix(w, s) {
			return true
		}
	}
	return false
}

// nearly reports whether a word is a name but for one letter.
func (r row) nearly(words []string) (string, bool) {
	for _, n := range r.names {
		if !n.long {
			continue
		}
		for _, w := range words {
			if oneOff(w, n.folded) {
				return w, true
			}
		}
	}
	return "", false
}

// oneOff reports whether a and b differ by one letter that is other, missing, too many, or by two that are swapped.
func oneOff(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || a == b {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if a[i+1:] == b[i+1:] {
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// Warn returns what a text that is being typed, the name or an active of an input, has to be warned of where it is meant for a branch; for crops
// the pyrethroids too.
func Warn(text string, branch farm.Branch) []Hit {
	t := Actives()
	out := t.Find(text, ScopeOf(branch))
	if branch == farm.Crop || branch == farm.Herb {
		out = append(out, t.Find(text, Drift)...)
	}
	return out
}

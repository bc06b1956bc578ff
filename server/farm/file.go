package farm

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"aovuon/gateway/measure"
)

// maxFile bounds a farm file: 50 ponds take some 30 kB.
const maxFile = 1 << 20

// The farm file. demo.yaml shows and explains every key.
type (
	fileDoc struct {
		Coop   fileCoop    `yaml:"coop"`
		Zones  []fileZone  `yaml:"zones"`
		Places []filePlace `yaml:"places"`
		Mounts []fileMount `yaml:"mounts"`
		Limits []fileLimit `yaml:"limits"`
	}
	fileCoop struct {
		Name      Text          `yaml:"name"`
		Demo      bool          `yaml:"demo"`
		Addresses []fileAddress `yaml:"addresses"`
	}
	fileAddress struct {
		Text  Text   `yaml:"text"`
		From  string `yaml:"from"`
		Until string `yaml:"until"`
	}
	fileZone struct {
		ID        string        `yaml:"id"`
		Name      Text          `yaml:"name"`
		Addresses []fileAddress `yaml:"addresses"`
	}
	filePlace struct {
		Code    string  `yaml:"code"`
		Name    string  `yaml:"name"`
		Kind    string  `yaml:"kind"`
		Title   Text    `yaml:"title"`
		Zone    string  `yaml:"zone"`
		AreaM2  float64 `yaml:"area_m2"`
		Holds   Text    `yaml:"holds"`
		Species string  `yaml:"species"`
		Limits  string  `yaml:"limits"`

		Soil      Text        `yaml:"soil"`
		Water     Text        `yaml:"water"`
		Ground    fileGround  `yaml:"ground"`
		Household string      `yaml:"household"`
		Outline   [][]float64 `yaml:"outline"`
	}
	fileMount struct {
		Gateway  string   `yaml:"gateway"`
		Sensor   string   `yaml:"sensor"`
		Place    string   `yaml:"place"`
		Measures []string `yaml:"measures"`
		From     string   `yaml:"from"`
		Until    string   `yaml:"until"`
	}
	fileLimit struct {
		Profile  string   `yaml:"profile"`
		Quantity string   `yaml:"quantity"`
		Level    string   `yaml:"level"`
		Below    *float64 `yaml:"below"`
		Above    *float64 `yaml:"above"`
		Source   Text     `yaml:"source"`
		What     string   `yaml:"what,omitempty"`
		Clear    *float64 `yaml:"clear,omitempty"`
		For      string   `yaml:"for,omitempty"`
		Keep     string   `yaml:"keep,omitempty"`
		Count    int      `yaml:"count,omitempty"`
		Of       int      `yaml:"of,omitempty"`
	}
)

// Parse reads and checks a farm file. name stands in the errors, each of which names the line and the mend; all that is
// wrong is reported at once.
func Parse(name string, raw []byte) (*Farm, error) { return parse(name, raw, false) }

// parse is Parse; young: of a farm that may have no place yet.
func parse(name string, raw []byte, young bool) (*Farm, error) {
	if len(raw) > maxFile {
		return nil, fmt.Errorf("%s: larger than %d bytes: a farm file names places and sensors only", name, maxFile)
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff")) // some editors put it before the text
	tree, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %s\n  mend: correct that line or remove it; server farm example shows every key", name, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	var doc fileDoc
	if err := decode(raw, &doc); err != nil {
		return nil, fmt.Errorf("%s: %s\n  mend: correct that line or remove it; server farm example shows every key", name, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	if line := secondDocument(tree); line > 0 {
		return nil, fmt.Errorf("%s:%d: a second document: keep one, everything after the line --- would not be read", name, line)
	}
	b := builder{name: name, tree: tree, farm: &Farm{}, names: map[string]string{}, zone: Time()}
	b.coop(doc.Coop)
	b.zones(doc.Zones)
	b.limits(doc.Limits)
	if len(doc.Places) == 0 && !young {
		b.wrong("places", "a farm has at least one place")
	}
	b.places(doc.Places)
	b.mounts(doc.Mounts)
	if err := errors.Join(b.errs...); err != nil {
		return nil, err
	}
	return b.farm, nil
}

// decode reads YAML. The decoder panics on some malformed anchors and tags (an alias to a value with a tag nobody knows); that is a mistake
// in the file, no reason to end.
func decode(raw []byte, doc *fileDoc) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("this YAML cannot be read (%v): write it without anchors, aliases and tags", p)
		}
	}()
	return yaml.UnmarshalWithOptions(raw, doc, yaml.Strict())
}

// secondDocument returns the line at which a second document begins, 0 when there is none.
func secondDocument(tree *ast.File) int {
	seen := false
	for _, d := range tree.Docs {
		switch {
		case d.Body == nil || d.Body.Type() == ast.CommentType:
		case seen:
			return d.Body.GetToken().Position.Line
		default:
			seen = true
		}
	}
	return 0
}

// builder turns the document into a farm and gathers what is wrong with it.
type builder struct {
	name  string
	tree  *ast.File
	farm  *Farm
	names map[string]string // short name of a place -> code
	zone  *time.Location
	errs  []error
}

// What is wrong with a name or an address; forms say it at its field.
var (
	ErrUnsaid  = errors.New("want a text in both languages: { vi: ..., en: ... }")
	ErrLong    = errors.New("longer than 300 bytes: shorten it")
	ErrEnds    = errors.New("ends before it begins: swap from and until")
	ErrOverlap = errors.New("is valid at the same time as an address above: end the one where the other begins")
)

// MistakeError is one thing that is wrong with a farm, and where.
type MistakeError struct {
	File string
	Line int
	Path string // as in places[2].area_m2
	err  error
}

// Error implements error.
func (e *MistakeError) Error() string {
	return fmt.Sprintf("%s:%d: %s: %v", e.File, e.Line, e.Path, e.err)
}

// Unwrap returns the cause.
func (e *MistakeError) Unwrap() error { return e.err }

// Mistakes returns the mistakes that an error of Parse or Check is of.
func Mistakes(err error) []*MistakeError {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		var out []*MistakeError
		for _, e := range all.Unwrap() {
			out = append(out, Mistakes(e)...)
		}
		return out
	}
	if m, ok := errors.AsType[*MistakeError](err); ok {
		return []*MistakeError{m}
	}
	return nil
}

// wrong notes a mistake at a path of the document, such as places[2].code.
func (b *builder) wrong(path, format string, args ...any) {
	b.errs = append(b.errs, &MistakeError{File: b.name, Line: b.line(path), Path: path, err: fmt.Errorf(format, args...)})
}

// line returns the line of a path, or of the nearest thing around it that the file has.
func (b *builder) line(path string) int {
	for path != "" {
		if p, err := yaml.PathString("$." + path); err == nil {
			if node, err := p.FilterFile(b.tree); err == nil && node != nil {
				return node.GetToken().Position.Line
			}
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 1
}

func (b *builder) text(path string, t Text) {
	if strings.TrimSpace(t.VI) == "" || strings.TrimSpace(t.EN) == "" {
		b.wrong(path, "%w", ErrUnsaid)
	}
	if len(t.VI) > 300 || len(t.EN) > 300 {
		b.wrong(path, "%w", ErrLong)
	}
}

// maybe checks a text that may be left out.
func (b *builder) maybe(path string, t Text) {
	if t != (Text{}) {
		b.text(path, t)
	}
}

// date reads YYYY-MM-DD (midnight at the co-op) or an RFC 3339 time; empty is the zero time.
func (b *builder) date(path, s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, b.zone); err == nil {
		return t.UTC()
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		b.wrong(path, "%q is no date: write \"2026-03-01\" or \"2026-03-01T08:00:00+07:00\"", s)
	}
	return t.UTC()
}

func (b *builder) coop(c fileCoop) {
	b.text("coop.name", c.Name)
	b.farm.Coop = Coop{Name: c.Name, Demo: c.Demo, Addresses: b.addresses("coop.addresses", c.Addresses)}
}

func (b *builder) addresses(path string, rows []fileAddress) []Address {
	var out []Address
	for i, r := range rows {
		at := fmt.Sprintf("%s[%d]", path, i)
		b.text(at+".text", r.Text)
		a := Address{Text: r.Text, ValidFrom: b.date(at+".from", r.From), ValidTo: b.date(at+".until", r.Until)}
		if !a.ValidTo.IsZero() && !a.ValidFrom.Before(a.ValidTo) {
			b.wrong(at, "%w", ErrEnds)
		}
		for _, o := range out {
			if overlap(a.ValidFrom, a.ValidTo, o.ValidFrom, o.ValidTo) {
				b.wrong(at, "%w", ErrOverlap)
				break
			}
		}
		out = append(out, a)
	}
	return out
}

// overlap reports whether two half-open spans share an instant; zero bounds are open.
func overlap(from1, to1, from2, to2 time.Time) bool {
	return (to2.IsZero() || from1.Before(to2)) && (to1.IsZero() || from2.Before(to1))
}

func (b *builder) zones(rows []fileZone) {
	for i, r := range rows {
		at := fmt.Sprintf("zones[%d]", i)
		if !measure.ValidID(r.ID, 40) {
			b.wrong(at+".id", "%q is no id: use small letters, digits and hyphens", r.ID)
		}
		if _, twice := b.farm.Zone(r.ID); twice {
			b.wrong(at+".id", "zone %q is there twice: rename one", r.ID)
		}
		b.text(at+".name", r.Name)
		b.farm.Zones = append(b.farm.Zones, Zone{ID: r.ID, Name: r.Name, Addresses: b.addresses(at+".addresses", r.Addresses)})
	}
}

package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"

	"aovuon/gateway/yamlfile"
)

// example is the command that prints a template to start from.
const example = "gateway probe show --yaml soil-a-3in1"

// Parse reads and checks a template. name is the file's, for errors. All that is wrong is told at once, each a
// *yamlfile.Error with its place and its mend.
func Parse(name string, raw []byte) (*Template, error) {
	doc, err := yamlfile.Parse(name, raw, example)
	if err != nil {
		return nil, err
	}
	if err := doc.Misfits(reflect.TypeFor[Template]()); err != nil {
		return nil, err
	}
	var t Template
	if err := yamlfile.Decode(raw, &t); err != nil {
		return nil, doc.Explain(err)
	}
	c := &checker{doc: doc, t: &t}
	c.check()
	if len(c.bad) > 0 {
		return nil, errors.Join(c.bad...)
	}
	return &t, nil
}

// Library is where templates are found by their id: the embedded ones.
type Library struct{ files fs.FS }

// NewLibrary returns the library of the templates in a folder (hardware/probes). Each is read when it is asked for.
func NewLibrary(files fs.FS) *Library { return &Library{files: files} }

// IDs lists the templates.
func (l *Library) IDs() ([]string, error) {
	names, err := fs.Glob(l.files, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	for i, name := range names {
		names[i] = strings.TrimSuffix(name, ".yaml")
	}
	return names, nil
}

// ErrUnknown is wrapped by the error of a template that is not there.
var ErrUnknown = errors.New("unknown template")

// Text returns the file of a template: by id from the library, or the user's own by the name of its file, which has a
// slash or ends in .yaml.
func (l *Library) Text(ref string) (name string, raw []byte, err error) {
	if IsFile(ref) {
		if raw, err = os.ReadFile(ref); err != nil {
			return ref, nil, fmt.Errorf("probe: %w", err)
		}
		return ref, raw, nil
	}
	name = ref + ".yaml"
	if !fs.ValidPath(name) || path.Dir(name) != "." {
		return name, nil, fmt.Errorf("probe: %w %q", ErrUnknown, ref)
	}
	if raw, err = fs.ReadFile(l.files, name); err != nil {
		return name, nil, fmt.Errorf("probe: %w %q", ErrUnknown, ref)
	}
	return name, raw, nil
}

// Template returns a template by id or file name.
func (l *Library) Template(ref string) (*Template, error) {
	name, raw, err := l.Text(ref)
	if err != nil {
		return nil, err
	}
	return Parse(name, raw)
}

// IsFile reports whether ref is the name of a user's file rather than an id.
func IsFile(ref string) bool {
	return strings.ContainsRune(ref, filepath.Separator) || strings.HasSuffix(ref, ".yaml")
}

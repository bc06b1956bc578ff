package privacy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"html/template"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aovuon/server/privacy"
)

// However a point is written, what is written is the cell.
func TestPoint_TellsItsCellWhateverWritesIt(t *testing.T) {
	p, err := privacy.NewPoint(20.771342, 106.224967)
	if err != nil {
		t.Fatal(err)
	}
	type page struct{ At privacy.Point }
	raw, err := json.Marshal(map[string]any{"a": p, "b": &p, "c": page{p}, "d": []privacy.Point{p}})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	out.Write(raw)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%f", "%x", "%q"} {
		fmt.Fprintf(&out, verb, p)
		fmt.Fprintf(&out, verb, &p)
		fmt.Fprintf(&out, verb, page{p})
	}
	fmt.Fprintln(&out, p, page{p})
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", slog.Any("at", p), slog.Any("page", page{p}))
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", slog.Any("at", p), slog.Any("page", page{p}))
	if err := template.Must(template.New("").Parse(`{{.At}} {{.At.Rough}} <script>x = {{.At}}</script>`)).Execute(&out, page{p}); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); strings.Contains(s, "0.7713") || strings.Contains(s, "6.2249") || strings.Count(s, "20.775, 106.225") < 24 || !strings.Contains(s, `{"lat":20.775,"lon":106.225}`) {
		t.Error(s)
	}
	var again privacy.Point
	if err := json.Unmarshal([]byte(`{"lat":20.771342,"lon":106.224967,"acc":5}`), &again); err != nil || again != p {
		t.Errorf("%v", err)
	}
	if lat, lon := again.Exact(); lat != 20.771342 || lon != 106.224967 {
		t.Errorf("%v %v", lat, lon)
	}
	for _, bad := range []string{`{}`, `{"lat":1}`, `{"lat":91,"lon":0}`, `[]`, `{"lat":"1","lon":2}`} {
		if err := json.Unmarshal([]byte(bad), &again); err == nil {
			t.Errorf("%s is a point", bad)
		}
	}
	if _, err := privacy.NewPoint(0, 181); !errors.Is(err, privacy.ErrNoPoint) {
		t.Error(err)
	}
}

// server parses every file of the server, tests aside.
func server(t *testing.T, f func(path string, file *ast.File)) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, raw, parser.SkipObjectResolution)
		if err == nil {
			f(filepath.ToSlash(path), file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Who asks a point for its exact place is one of these: a new one is thought about, and added here.
func TestExact_IsAskedForByFew(t *testing.T) {
	may := []string{
		"../sqldb/",              // keeps it
		"../farm/outline.go:",    // reckons areas and distances with it, and gives those out alone
		"../farm/format.go:",     // writes the farm file, which is the operator's
		"../farm/place_form.go:", // writes the form of those who may change the place
		"../watch/dawn/sun.go:",  // reckons when the sun rises and sets there, and gives that out alone
		"../watch/soil/read.go:", // reckons with the latitude how much the sun sends, and gives water out alone
		"../web/dashboard.go:",   // draws the map for those who see the places; it goes out in units of the drawing
		"../web/pestmap.go:",     // the same
	}
	server(t, func(path string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Exact" && !slices.ContainsFunc(may, func(p string) bool { return strings.HasPrefix(path+":", p) }) {
				t.Errorf("%s asks for Exact", path)
			}
			return true
		})
	})
}

// A coordinate in the server is a privacy.Point or a privacy.Rough: nobody keeps one in a number, which any page or export would print whole.
func TestPoint_IsTheOnlyTypeOfCoordinates(t *testing.T) {
	server(t, func(path string, file *ast.File) {
		if strings.HasPrefix(path, "../privacy/") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			f, ok := n.(*ast.Field)
			if !ok {
				return true
			}
			typ, ok := f.Type.(*ast.Ident)
			for _, name := range f.Names {
				switch strings.ToLower(name.Name) {
				case "lat", "lon", "lng", "latitude", "longitude":
					if ok && strings.HasPrefix(typ.Name, "float") && !inMarshal(file, n) {
						t.Errorf("%s: %s is a number: use privacy.Point", path, name.Name)
					}
				}
			}
			return true
		})
	})
}

// inMarshal: a MarshalJSON may name the members it writes, since what it writes them from is a Rough.
func inMarshal(file *ast.File, n ast.Node) bool {
	return slices.ContainsFunc(file.Decls, func(d ast.Decl) bool {
		f, ok := d.(*ast.FuncDecl)
		return ok && f.Name.Name == "MarshalJSON" && f.Pos() <= n.Pos() && n.End() <= f.End()
	})
}

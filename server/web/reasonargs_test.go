package web_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A sentence of a rule has as many places to fill as the rule fills, in both languages: one that has more shows %s to a farmer, one that
// has less hides a number.
func TestWords_EveryReasonFillsItsSentence(t *testing.T) {
	langs := map[string]map[string]string{"vi": texts(t, "vi"), "en": texts(t, "en")}
	checked := 0
	check := func(at token.Position, key string, args int) {
		for lang, all := range langs {
			fits := false // why.KEY or do.KEY: the call does not say which
			for _, prefix := range []string{"why.", "do."} {
				text, ok := all[prefix+key]
				fits = fits || ok && strings.Count(text, "%s") == args
			}
			if !fits {
				t.Errorf("%s: no sentence of %s in %s has %d places to fill", at, key, lang, args)
			}
		}
		checked++
	}
	files := token.NewFileSet()
	err := filepath.WalkDir("../watch", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 || call.Ellipsis.IsValid() {
				return true
			}
			name := ""
			switch f := call.Fun.(type) {
			case *ast.SelectorExpr:
				name = f.Sel.Name
			case *ast.Ident:
				name = f.Name
			}
			lit, ok := call.Args[0].(*ast.BasicLit)
			if !ok || !strings.EqualFold(name, "because") {
				return true
			}
			if key, err := strconv.Unquote(lit.Value); err == nil {
				check(files.Position(call.Pos()), key, len(call.Args)-1)
			}
			return true
		})
		return nil
	})
	if err != nil || checked < 40 {
		t.Fatalf("%d reasons, %v", checked, err)
	}
}

package app

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"text/template"

	"aovuon/gateway/wire"
)

//go:embed demo
var demoFiles embed.FS

// render fills in one of the demo's files and writes it to path, all or nothing.
func render(name, path string, data any) error {
	t, err := template.New(name).Funcs(template.FuncMap{"yaml": quoted, "toml": quoted}).ParseFS(demoFiles, "demo/"+name)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return wire.WriteFile(path, b.Bytes(), 0o644)
}

// quoted is a string as YAML and TOML both read it.
func quoted(s string) string { return strconv.QuoteToGraphic(s) }

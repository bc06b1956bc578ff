package app

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// readConfig reads a configuration file.
func readConfig(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("config: no file %s: name it with --config, or write one: server example prints a sample", path)
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("config: %w: type sudo before the command", err)
	}
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return bytes.TrimPrefix(raw, []byte("\ufeff")), nil // some editors put it before the text
}

// decodeFile reads a file's one document into c.
func decodeFile(path string, raw []byte, c *Config) error {
	if err := decode(raw, c); err != nil {
		return fmt.Errorf("config: %s: %s\n  mend: correct that line or remove it; server example prints every key", path, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	if line := secondDocument(raw); line > 0 {
		return fmt.Errorf("config: %s:%d: a second document: keep one, everything after the line --- would not be read", path, line)
	}
	return nil
}

// decode reads YAML. The decoder panics on some malformed anchors and tags; that is a mistake in the file, no reason to end.
func decode(raw []byte, c *Config) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("this YAML cannot be read (%v): write it without anchors, aliases and tags", p)
		}
	}()
	return yaml.UnmarshalWithOptions(raw, c, yaml.Strict())
}

// secondDocument returns the line at which a second document begins, 0 when there is none.
func secondDocument(raw []byte) int {
	file, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return 0
	}
	seen := false
	for _, d := range file.Docs {
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

// lineOf returns the line of a dotted key, or that of the nearest key above it that the file has.
func lineOf(raw []byte, key string) int {
	line := 1
	file, err := parser.ParseBytes(raw, 0)
	if err != nil || len(file.Docs) == 0 {
		return line
	}
	node := file.Docs[0].Body
	for part := range strings.SplitSeq(key, ".") {
		m, ok := node.(*ast.MappingNode)
		if !ok {
			return line
		}
		node = nil
		for _, v := range m.Values {
			if v.Key.String() == part {
				line, node = v.Key.GetToken().Position.Line, v.Value
			}
		}
	}
	return line
}

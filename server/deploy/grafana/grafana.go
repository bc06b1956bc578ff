// Package grafana holds what Grafana and Prometheus are given to show and watch a server: dashboards, data sources, alert rules. Nothing comes in;
// files go out, as they lie beside this one. README.md says where they belong.
package grafana

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed README.md prometheus.yml alerts dashboards provisioning
var files embed.FS

// Files are the files by their paths.
func Files() fs.FS { return files }

// Write writes the files below a folder, which is made where it is not there, and returns their paths. What is there already is written over: these
// files are the product's, changes belong into copies.
func Write(dir string) (written []string, err error) {
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if d.IsDir() {
			return os.MkdirAll(to, 0o755) //nolint:gosec // Grafana and Prometheus run as others and read them; no secret is in them
		}
		raw, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		written = append(written, to)
		return os.WriteFile(to, raw, 0o644) //nolint:gosec // see above
	})
	if err != nil {
		return nil, fmt.Errorf("grafana: %w", err)
	}
	return written, nil
}

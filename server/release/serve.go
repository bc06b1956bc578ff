package release

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"aovuon/gateway/wire"
)

// Path is where releases are handed out: Path + version + "/linux-arm64.release" and ".gz".
const Path = "/releases/"

// atOnce bounds the programs that are under way at the same time: a fleet that all asks at once must not take the line from
// readings and pages.
const atOnce = 16

// Handler hands out what is on a shelf, to everybody: programs are no secret. sent is told how many bytes went out.
// Ranges are answered, so that a weak link goes on where it broke.
func (s *Shelf) Handler(sent func(bytes int)) http.Handler {
	room := make(chan struct{}, atOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, ok := s.file(r.URL.Path)
		if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.NotFound(w, r)
			return
		}
		f, err := os.Open(path)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer f.Close() //nolint:errcheck // it was only read
		select {
		case room <- struct{}{}:
			defer func() { <-room }()
		default:
			w.Header().Set("Retry-After", "60")
			http.Error(w, "too many gateways fetch programs at once", http.StatusServiceUnavailable)
			return
		}
		info, err := f.Stat()
		if err != nil || !info.Mode().IsRegular() {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Cache-Control", "public, max-age=3600")
		http.ServeContent(&counted{w, sent}, r, "", info.ModTime(), f)
	})
}

// file is the file that a path names; false: none can be there.
func (s *Shelf) file(path string) (string, bool) {
	version, name, ok := strings.Cut(strings.TrimPrefix(path, Path), "/")
	if _, err := wire.ParseVersion(version); !ok || err != nil {
		return "", false
	}
	for _, end := range []string{manifestEnd, programEnd} {
		platform, ok := strings.CutSuffix(name, end)
		if ok && wire.ValidPlatform(strings.Replace(platform, "-", "/", 1)) {
			return filepath.Join(s.dir, version, name), true
		}
	}
	return "", false
}

// counted counts what is written.
type counted struct {
	http.ResponseWriter
	sent func(int)
}

// Write implements http.ResponseWriter.
func (c *counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.sent(n)
	return n, err
}

package witness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"sync"

	"aovuon/gateway/wire"
)

// File keeps heads in one JSON file, origin → checkpoint. One process may use it at a time; the caller sees to that.
type File struct {
	path string

	mu   sync.Mutex
	seen map[string]string
}

// OpenFile reads the file; one that is not there is an empty one.
func OpenFile(path string) (*File, error) {
	f := &File{path: path, seen: map[string]string{}}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &f.seen)
	}
	if err == nil && f.seen == nil {
		err = errors.New("it holds no heads") // null
	}
	if err != nil {
		return nil, fmt.Errorf("witness: heads in %s: %w: put back a copy; a witness that forgot what it saw must not go on under its key", path, err)
	}
	return f, nil
}

// Update implements Store: the file is replaced as a whole and synced before it returns.
func (f *File) Update(_ context.Context, origin string, change func([]byte) ([]byte, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var old []byte
	if text, ok := f.seen[origin]; ok {
		old = []byte(text)
	}
	checkpoint, err := change(old)
	if err != nil {
		return err
	}
	next := maps.Clone(f.seen)
	next[origin] = string(checkpoint)
	raw, err := json.MarshalIndent(next, "", "  ")
	if err != nil {
		return fmt.Errorf("witness: %w", err)
	}
	if err := wire.WriteFile(f.path, raw, 0o600); err != nil {
		return fmt.Errorf("witness: %w", err)
	}
	f.seen = next
	return nil
}

package world

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Journal keeps what was done to a world, so that a restart tells the same story: a line of JSON each (FORMAT.md). It is safe for
// concurrent use.
type Journal struct {
	mu   sync.Mutex
	path string
	f    *os.File
}

// Told is what a journal holds.
type Told struct {
	Actions []Action // line by line
	Torn    string   // the beginning of a last line that was never written to its end; it is dropped
}

// ReadJournal reads the journal at path; one that is not there is empty. A line that is no action is an error that names it.
func ReadJournal(path string) (Told, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Told{}, nil
	}
	if err != nil {
		return Told{}, fmt.Errorf("world: journal: %w", err)
	}
	return parseJournal(path, raw)
}

func parseJournal(path string, raw []byte) (t Told, err error) {
	for n := 1; len(raw) > 0; n++ {
		line, rest, whole := bytes.Cut(raw, []byte("\n"))
		if !whole {
			t.Torn = string(line)
			return t, nil
		}
		var a Action
		if err := json.Unmarshal(line, &a); err != nil {
			return Told{}, fmt.Errorf("world: journal %s:%d: %w: correct that line or remove it", path, n, err)
		}
		t.Actions = append(t.Actions, a)
		raw = rest
	}
	return t, nil
}

// OpenJournal opens the journal at path to go on with it, and makes it if need be. A torn last line is cut off.
func OpenJournal(path string) (*Journal, Told, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, Told{}, fmt.Errorf("world: journal: %w", err)
	}
	told, err := ReadJournal(path)
	if err != nil {
		return nil, Told{}, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return nil, Told{}, fmt.Errorf("world: journal: %w", err)
	}
	if err := errors.Join(cut(f, len(told.Torn)), syncFolder(path)); err != nil {
		return nil, Told{}, errors.Join(fmt.Errorf("world: journal: %w", err), f.Close())
	}
	return &Journal{path: path, f: f}, told, nil
}

// cut takes the last n bytes from a file.
func cut(f *os.File, n int) error {
	if n == 0 {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(info.Size()-int64(n)), f.Sync())
}

// syncFolder makes the name of a new file last.
func syncFolder(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Append writes an action down. When it returns nil the line is on the disk.
func (j *Journal) Append(a Action) error {
	line, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("world: journal: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	info, err := j.f.Stat()
	if err != nil {
		return fmt.Errorf("world: journal: %w", err)
	}
	_, err = j.f.Write(append(line, '\n'))
	if err == nil {
		err = j.f.Sync()
	}
	if err != nil { // half a line must not become the beginning of the next
		return fmt.Errorf("world: journal %s: %w", j.path, errors.Join(err, j.f.Truncate(info.Size())))
	}
	return nil
}

// Close closes the file.
func (j *Journal) Close() error { return j.f.Close() }

// written is an action as FORMAT.md has it.
type written struct {
	At     time.Time  `json:"at"`
	Place  string     `json:"place,omitempty"`
	Kind   ActionKind `json:"kind"`
	Amount float64    `json:"amount,omitempty"`
	For    string     `json:"for,omitempty"`
	What   string     `json:"what,omitempty"`
	By     string     `json:"by,omitempty"`
}

// MarshalJSON implements json.Marshaler: FORMAT.md.
func (a Action) MarshalJSON() ([]byte, error) {
	w := written{a.At.UTC(), a.Place, a.Kind, a.Amount, "", a.What, a.By}
	if a.For != 0 {
		w.For = a.For.String()
	}
	return json.Marshal(w)
}

// UnmarshalJSON implements json.Unmarshaler. Unknown keys, and an action without at or kind, are errors; whether a world can have it
// World.Check says.
func (a *Action) UnmarshalJSON(raw []byte) error {
	var w written
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		return err
	}
	if w.At.IsZero() || w.Kind == "" {
		return errors.New("an action needs at and kind")
	}
	*a = Action{At: w.At.UTC(), Place: w.Place, Kind: w.Kind, Amount: w.Amount, What: w.What, By: w.By}
	if w.For == "" {
		return nil
	}
	var err error
	if a.For, err = time.ParseDuration(w.For); err != nil {
		return fmt.Errorf("for %q: want a duration, such as 2h30m", w.For)
	}
	return nil
}

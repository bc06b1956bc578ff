package setup

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"aovuon/gateway/wire"
)

// LinkLimit is how long a link to the setup page counts.
const LinkLimit = 24 * time.Hour

// mostLinks is how many links count at once: the package, the journal and a few that somebody asked for.
const mostLinks = 8

// The errors of a link. Their readers are told by the page.
var (
	ErrLink      = errors.New("setup: no such link, or it is older than 24 hours")
	ErrElsewhere = errors.New("setup: the link was opened by another browser first")
)

// State is how far the setup of a server is.
type State struct {
	Draft   Draft     `json:"draft"`
	Links   []Link    `json:"links,omitempty"`
	Listen  string    `json:"listen,omitempty"`  // host:port of the page, for those who print links
	Again   bool      `json:"again,omitempty"`   // there is a server already: it gets another address
	Done    time.Time `json:"done,omitzero"`     // when the server first started with what was settled; zero: not yet
	Problem string    `json:"problem,omitempty"` // why it could not start with it
}

// Link is one link to the page. The first browser that opens it has it; only sums are kept.
type Link struct {
	Token   []byte    `json:"token"`             // SHA-256
	Browser []byte    `json:"browser,omitempty"` // SHA-256 of its cookie; none: nobody opened it yet
	Expires time.Time `json:"expires"`
}

// Store keeps a State in a data folder. Several processes may: each change is made under a lock and written whole.
type Store struct {
	dir string
	now func() time.Time
}

// NewStore returns the store of a data folder, which must be there before anything is changed.
func NewStore(dir string, now func() time.Time) *Store { return &Store{dir: dir, now: now} }

// Read returns the state; found is false where there is none yet.
func (s *Store) Read() (st State, found bool, err error) {
	raw, err := os.ReadFile(filepath.Join(s.dir, StateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, false, nil
	}
	if err != nil {
		return State{}, false, fmt.Errorf("setup: %w", err)
	}
	if err := json.Unmarshal(raw, &st); err != nil {
		return State{}, false, fmt.Errorf("setup: %s: %w: remove the file; the setup page then begins anew", filepath.Join(s.dir, StateFile), err)
	}
	return st, true, nil
}

// Change reads the state, lets f change it and writes it: on disk when it returns, or as it was.
func (s *Store) Change(f func(*State) error) (err error) {
	lock, err := os.OpenFile(filepath.Join(s.dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }() // which lets the lock go
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("setup: lock: %w", err)
	}
	st, _, err := s.Read()
	if err != nil {
		return err
	}
	if err := f(&st); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(st, "", " ")
	if err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	return wire.WriteFile(filepath.Join(s.dir, StateFile), append(raw, '\n'), 0o600)
}

// NewLink makes a link to the page and returns its token. Those made before count as well, each for its time.
func (s *Store) NewLink() (token string, err error) {
	if token, err = newToken(); err != nil {
		return "", err
	}
	return token, s.Change(func(st *State) error {
		now := s.now()
		var keep []Link
		for _, l := range st.Links {
			if now.Before(l.Expires) {
				keep = append(keep, l)
			}
		}
		keep = append(keep, Link{Token: sum(token), Expires: now.Add(LinkLimit)})
		st.Links = keep[max(0, len(keep)-mostLinks):]
		return nil
	})
}

// Enter lets a browser in that brings a link and, unless it is its first time, the cookie it was given then. A cookie that is returned is to be
// set; the error wraps ErrLink or ErrElsewhere.
func (s *Store) Enter(token, cookie string) (set string, err error) {
	st, _, err := s.Read()
	if err != nil {
		return "", err
	}
	l := st.link(token, s.now())
	if l == nil {
		return "", ErrLink
	}
	if l.Browser != nil {
		return "", l.check(cookie)
	}
	if set, err = newToken(); err != nil {
		return "", err
	}
	return set, s.Change(func(st *State) error {
		l := st.link(token, s.now())
		if l == nil {
			return ErrLink
		}
		if l.Browser != nil { // between the reading and the lock
			return ErrElsewhere
		}
		l.Browser = sum(set)
		return nil
	})
}

// link returns the link of a token, nil where none counts.
func (st *State) link(token string, now time.Time) *Link {
	want := sum(token)
	for i := range st.Links {
		if subtle.ConstantTimeCompare(st.Links[i].Token, want) == 1 && now.Before(st.Links[i].Expires) {
			return &st.Links[i]
		}
	}
	return nil
}

func (l *Link) check(cookie string) error {
	if subtle.ConstantTimeCompare(l.Browser, sum(cookie)) != 1 {
		return ErrElsewhere
	}
	return nil
}

func newToken() (string, error) {
	var b [24]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("setup: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

func sum(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}

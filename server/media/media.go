// Package media keeps the photos and voice notes of the diary.
//
// Bytes that a phone sent come in. A photo is decoded within bounds, turned upright and written anew as JPEG, so that nothing of what a camera
// adds (place, device, name) and nothing that is no picture stays; a voice note is looked at and kept as it is. Both are files in one folder,
// named by the SHA-256 of what was sent, which is what entries of the diary name; an Index knows the hash of what is kept. FORMAT.md says how.
package media

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/diary"
	"aovuon/server/ledger"
)

// Item is one photo or voice note on record.
type Item struct {
	SHA256 string    `json:"sha256"` // hex, of the bytes that were sent
	Kept   string    `json:"kept"`   // hex, of the bytes that are kept
	Type   string    `json:"type"`   // of what is kept
	Size   int64     `json:"size"`   // of what is kept, bytes
	Made   time.Time `json:"made"`   // when it came in
	By     string    `json:"by"`     // pseudonym of who sent it
	Erased time.Time `json:"erased,omitzero"`
}

// Index knows what is kept.
type Index interface {
	MediaItem(ctx context.Context, sha256 string) (Item, bool, error)
	MediaItems(ctx context.Context) ([]Item, error)
	AddMedia(ctx context.Context, i Item, by ledger.By) error
}

// The errors of bytes that cannot be kept, and of a file that is not what it was.
var (
	ErrKind    = errors.New("media: neither a photo (JPEG, PNG, WebP) nor a voice note (WebM, Ogg, MP4)")
	ErrSize    = errors.New("media: too large")
	ErrBroken  = errors.New("media: damaged or cut off: send it again")
	ErrAltered = errors.New("media: the file is not what was kept")
)

// MostBytes is how many bytes may be sent at once: a photo straight from a phone's camera, or ten minutes of voice.
const MostBytes = 12 << 20

// Shelf keeps media in a folder. It is safe for concurrent use.
type Shelf struct {
	dir   string
	index Index
	// one photo is decoded at a time: each may take 200 MB for a moment.
	decoding chan struct{}
}

// New makes a shelf. The folder is made when the first file comes.
func New(dir string, index Index) *Shelf {
	return &Shelf{dir: dir, index: index, decoding: make(chan struct{}, 1)}
}

// Keep keeps bytes that were sent, and returns what an entry names. What is kept already is known. The error wraps ErrKind, ErrSize or ErrBroken
// where the bytes are at fault.
func (s *Shelf) Keep(ctx context.Context, raw []byte, by ledger.By) (diary.Media, error) {
	sum := hexSum(raw)
	old, ok, err := s.index.MediaItem(ctx, sum)
	if err != nil {
		return diary.Media{}, err
	}
	if ok && old.Erased.IsZero() {
		if _, err := os.Stat(s.file(sum)); err == nil {
			return diary.Media{SHA256: sum, Type: old.Type}, nil
		}
	}
	kept, kind, err := s.cleaned(ctx, raw)
	if err != nil {
		return diary.Media{}, err
	}
	if ok && old.Erased.IsZero() && hexSum(kept) != old.Kept {
		return diary.Media{}, fmt.Errorf("%w: %s is gone, and cannot be made again from what was sent: put data_dir/media back from a backup", ErrAltered, sum)
	}
	if err := os.MkdirAll(filepath.Dir(s.file(sum)), 0o700); err != nil {
		return diary.Media{}, fmt.Errorf("media: %w", err)
	}
	if err := wire.WriteFile(s.file(sum), kept, 0o600); err != nil {
		return diary.Media{}, fmt.Errorf("media: %w", err)
	}
	i := Item{SHA256: sum, Kept: hexSum(kept), Type: kind, Size: int64(len(kept))}
	if err := s.index.AddMedia(ctx, i, by); err != nil {
		return diary.Media{}, err
	}
	return diary.Media{SHA256: sum, Type: kind}, nil
}

// cleaned returns the bytes that are kept of those that were sent, and their type.
func (s *Shelf) cleaned(ctx context.Context, raw []byte) (kept []byte, kind string, err error) {
	if len(raw) > MostBytes {
		return nil, "", fmt.Errorf("%w: %d bytes, want at most %d", ErrSize, len(raw), MostBytes)
	}
	if kind, err := audio(raw); err != nil || kind != "" {
		return raw, kind, err
	}
	if format(raw) == "" {
		return nil, "", ErrKind
	}
	select {
	case s.decoding <- struct{}{}:
		defer func() { <-s.decoding }()
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
	kept, err = redraw(raw)
	return kept, "image/jpeg", err
}

// Media returns what is kept under the hash of what was sent; ok is false where nothing is, or it was erased. The error wraps ErrAltered where
// the file is gone or another.
func (s *Shelf) Media(ctx context.Context, sum string) (m diary.Media, raw []byte, ok bool, err error) {
	i, ok, err := s.index.MediaItem(ctx, sum)
	if err != nil || !ok || !i.Erased.IsZero() {
		return diary.Media{}, nil, false, err
	}
	raw, err = os.ReadFile(s.file(sum))
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && hexSum(raw) != i.Kept:
		return diary.Media{}, nil, false, fmt.Errorf("%w: %s", ErrAltered, sum)
	case err != nil:
		return diary.Media{}, nil, false, fmt.Errorf("media: %w", err)
	}
	return diary.Media{SHA256: sum, Type: i.Type}, raw, true, nil
}

// Check reads every file and returns the hashes of those that are gone, or are not what was kept.
func (s *Shelf) Check(ctx context.Context) (altered []string, err error) {
	items, err := s.index.MediaItems(ctx)
	if err != nil {
		return nil, err
	}
	for _, i := range items {
		if !i.Erased.IsZero() {
			continue
		}
		switch _, _, _, err := s.Media(ctx, i.SHA256); {
		case errors.Is(err, ErrAltered):
			altered = append(altered, i.SHA256)
		case err != nil:
			return altered, err
		}
	}
	return altered, ctx.Err()
}

// young is how old a file without an entry in the index must be to be swept: it may be about to be entered.
const young = time.Hour

// Sweep removes the files of what was erased, and those that nothing on record speaks of: of a program that ended between file and entry.
// It returns how many went.
func (s *Shelf) Sweep(ctx context.Context, now time.Time) (gone int, err error) {
	items, err := s.index.MediaItems(ctx)
	if err != nil {
		return 0, err
	}
	erased := make(map[string]bool, len(items))
	for _, i := range items {
		erased[i.SHA256] = !i.Erased.IsZero()
	}
	err = filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		went, known := erased[d.Name()]
		if info, err := d.Info(); !known && (err != nil || now.Sub(info.ModTime()) < young) {
			return nil //nolint:nilerr // it went by itself
		}
		if known && !went {
			return nil
		}
		gone++
		return os.Remove(path)
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return gone, fmt.Errorf("media: sweep: %w", err)
	}
	return gone, nil
}

// file names the file of a hash, which the index knows: nothing else is ever asked for.
func (s *Shelf) file(sum string) string {
	return filepath.Join(s.dir, strings.ToLower(sum[:min(2, len(sum))]), sum)
}

func hexSum(raw []byte) string {
	h := sha256.Sum256(raw)
	return hex.EncodeToString(h[:])
}

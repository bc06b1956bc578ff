package fleet

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sys/unix"

	"aovuon/gateway/wire"
)

// maxLine bounds a line of a folder's files: a full window of the largest batches.
const maxLine = 64 << 20

// eachLine gives f every line of a file. Its errors name file and line.
func eachLine(path string, f func(line []byte) error) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("fleet: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		if err := f(lines.Bytes()); err != nil {
			return fmt.Errorf("fleet: %s:%d: %w", path, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("fleet: %s:%d: %w", path, n+1, err)
	}
	return nil
}

// Folder is a fleet's folder, opened for a run.
type Folder struct {
	Members []Member // that take part
	dir     string
	rest    []Saved // chains of those that take no part
	lock    *os.File
}

// Open opens the folder of a fleet for its first n gateways, or all for 0, and keeps other runs out of it until Close.
func Open(dir string, n int) (*Folder, error) {
	f := &Folder{dir: dir}
	err := f.enter()
	if err == nil {
		err = f.read(n)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// enter takes the lock, which ends with the process however that ends.
func (f *Folder) enter() (err error) {
	if f.lock, err = os.OpenFile(filepath.Join(f.dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("fleet: no fleet in %s: make one with firmware-sim fleet init --gateways 500 --dir %s", f.dir, f.dir)
	}
	if err != nil {
		return fmt.Errorf("fleet: %w", err)
	}
	if err := unix.Flock(int(f.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("fleet: folder %s: another run uses it: stop that one first", f.dir)
	} else if err != nil {
		return fmt.Errorf("fleet: folder %s: %w", f.dir, err)
	}
	return nil
}

// Close lets others in.
func (f *Folder) Close() error {
	if f.lock == nil {
		return nil
	}
	if err := f.lock.Close(); err != nil {
		return fmt.Errorf("fleet: %w", err)
	}
	return nil
}

// read reads the first n gateways, or all for 0, and the chains.
func (f *Folder) read(n int) error {
	dir := f.dir
	all, err := readEnlisted(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("fleet: no fleet in %s: make one with firmware-sim fleet init --gateways 500 --dir %s", dir, dir)
	}
	if err != nil {
		return err
	}
	if n > len(all) {
		return fmt.Errorf("fleet: %s has %d gateways, not %d: add some with firmware-sim fleet init --gateways %d --dir %s, and enrol them",
			dir, len(all), n, n, dir)
	}
	saved, err := readChains(dir)
	if err != nil {
		return err
	}
	if n == 0 {
		n = len(all)
	}
	for i, e := range all {
		s := saved[e.Gateway]
		if i >= n {
			if s != nil {
				f.rest = append(f.rest, *s)
			}
			continue
		}
		signer, err := note.NewSigner(e.Key)
		if err != nil {
			return fmt.Errorf("fleet: key of %s: %w", e.Gateway, err)
		}
		f.Members = append(f.Members, Member{Gateway: e.Gateway, Signer: signer, Password: e.Password, Saved: s})
	}
	return nil
}

func readChains(dir string) (map[string]*Saved, error) {
	saved := map[string]*Saved{}
	err := eachLine(filepath.Join(dir, chainsFile), func(line []byte) error {
		s := &Saved{}
		if err := json.Unmarshal(line, s); err != nil {
			return err
		}
		saved[s.Gateway] = s
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; remove the file, new epochs begin then", err)
	}
	return saved, nil
}

// Take removes the chains of those that take part, just before a run: from then on they are the run's. A run that does not
// come to its end leaves none, and the next begins new epochs, as a gateway does whose memory card is gone.
func (f *Folder) Take() error { return f.Save(nil) }

// Save puts the chains of a run into the folder.
func (f *Folder) Save(chains []Saved) error {
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for _, some := range [][]Saved{chains, f.rest} {
		for i := range some {
			if err := enc.Encode(&some[i]); err != nil {
				return fmt.Errorf("fleet: %w", err)
			}
		}
	}
	if err := wire.WriteFile(filepath.Join(f.dir, chainsFile), lines.Bytes(), 0o600); err != nil {
		return fmt.Errorf("fleet: %w", err)
	}
	return nil
}

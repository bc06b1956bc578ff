package backup

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"golang.org/x/sys/unix"
)

// Reserve is how much of a disk a backup never takes.
const Reserve = 64 << 20

// Free returns how many bytes whoever runs this program may still write to the disk of a folder.
func Free(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("backup: free space of %s: %w", dir, err)
	}
	return int64(s.Bavail) * int64(s.Bsize), nil //nolint:unconvert // their types differ between systems
}

// ErrNoRoom says that a disk has too little room. Nothing was written, or what was is removed again.
var ErrNoRoom = errors.New("too little room")

// HasRoom checks that bytes and the reserve fit on the disk of a folder.
func HasRoom(dir string, bytes int64) error {
	free, err := Free(dir)
	if err != nil {
		return err
	}
	if free < bytes+Reserve {
		return fmt.Errorf("backup: %w in %s: %d MB are free, %d MB are needed and %d MB are left alone: make room, or name another folder",
			ErrNoRoom, dir, free>>20, (bytes+1<<20-1)>>20, int64(Reserve)>>20)
	}
	return nil
}

// careful stops before a disk is full.
type careful struct {
	w     io.Writer
	dir   string
	since int64
}

// Write implements io.Writer.
func (c *careful) Write(p []byte) (int, error) {
	if c.since += int64(len(p)); c.since > 8<<20 {
		c.since = 0
		if err := HasRoom(c.dir, 0); err != nil {
			return 0, err
		}
	}
	return c.w.Write(p)
}

const partSuffix = ".part"

// Create writes a file of a folder, encrypted to recipients (none: as it is). It has its name only once all of it is on the disk: whatever
// ends the program before leaves a file that Sweep removes.
func Create(path string, recipients []age.Recipient, write func(io.Writer) error) (size int64, err error) {
	dir := filepath.Dir(path)
	part := filepath.Join(dir, "."+filepath.Base(path)+partSuffix)
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, fmt.Errorf("backup: %w", err)
	}
	closed := false
	defer func() {
		if err == nil {
			return
		}
		if !closed {
			err = errors.Join(err, f.Close())
		}
		if rerr := os.Remove(part); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}()
	if err := seal(&careful{w: f, dir: dir}, recipients, write); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, fmt.Errorf("backup: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("backup: %w", err)
	}
	closed = true
	if err := f.Close(); err != nil {
		return 0, fmt.Errorf("backup: %w", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return 0, errors.Join(fmt.Errorf("backup: %s is there already: name another file", path), err)
	}
	if err := os.Rename(part, path); err != nil {
		return 0, fmt.Errorf("backup: %w", err)
	}
	return info.Size(), SyncDir(dir)
}

func seal(w io.Writer, recipients []age.Recipient, write func(io.Writer) error) error {
	if len(recipients) == 0 {
		return write(w)
	}
	enc, err := age.Encrypt(w, recipients...)
	if err != nil {
		return fmt.Errorf("backup: encrypt: %w", err)
	}
	if err := write(enc); err != nil {
		return err
	}
	if err := enc.Close(); err != nil {
		return fmt.Errorf("backup: encrypt: %w", err)
	}
	return nil
}

// SyncDir makes what was renamed in a folder survive a power cut.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// Sweep removes what a backup that was cut off left in a folder. Nobody else may be writing one there.
func Sweep(dir string) error {
	list, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	for _, e := range list {
		if !strings.HasPrefix(e.Name(), "."+prefix) || !strings.HasSuffix(e.Name(), partSuffix) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("backup: %w", err)
		}
	}
	return nil
}

// ErrWrongKey says that none of the identities opens an archive.
var ErrWrongKey = errors.New("the key does not open it")

// encryptedStart is how every file of age begins.
const encryptedStart = "age-encryption.org/"

// Open opens an archive, decrypting it where it is encrypted. Close the file when it is read. An error of reading says at which byte of
// the file it was.
func Open(path string, identities []age.Identity) (r io.Reader, closeFile func() error, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("backup: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	begin := make([]byte, len(encryptedStart))
	n, err := io.ReadFull(f, begin)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, nil, fmt.Errorf("backup: %s: %w", path, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, nil, fmt.Errorf("backup: %s: %w", path, err)
	}
	counted := &counting{r: f, path: path}
	if string(begin[:n]) != encryptedStart {
		return counted, f.Close, nil
	}
	if len(identities) == 0 {
		return nil, nil, fmt.Errorf("backup: %s is encrypted: name the file with its key (--identity)", path)
	}
	dec, err := age.Decrypt(counted, identities...)
	var none *age.NoIdentityMatchError
	switch {
	case errors.As(err, &none):
		return nil, nil, fmt.Errorf("backup: %s: %w: take the key whose public half is in recipients_file of that time", path, ErrWrongKey)
	case err != nil:
		return nil, nil, fmt.Errorf("%s: %w", path, damaged("its head: %v", err))
	}
	return &located{r: dec, at: counted}, f.Close, nil
}

// counting counts what was read of a file.
type counting struct {
	r    io.Reader
	path string
	n    int64
}

// Read implements io.Reader.
func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// located says where in the file decryption failed.
type located struct {
	r  io.Reader
	at *counting
}

// Read implements io.Reader.
func (l *located) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%s before byte %d: %w", l.at.path, l.at.n, err)
	}
	return n, err
}

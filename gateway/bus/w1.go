package bus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// w1Tree is a folder of 1-Wire devices that can say why it is not there. On a Pi its entries are links out of the
// folder, so it is read as the system reads it and not confined.
type w1Tree struct {
	folder string
	tree   fs.FS
}

// Open implements fs.FS.
func (t w1Tree) Open(name string) (fs.File, error) {
	f, err := t.tree.Open(name)
	if err != nil {
		return nil, t.mend(err)
	}
	return f, nil
}

// ReadFile implements fs.ReadFileFS. The file is read by as few calls as possible: reading w1_slave starts a conversion.
func (t w1Tree) ReadFile(name string) ([]byte, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrInvalid}
	}
	b, err := os.ReadFile(filepath.Join(t.folder, filepath.FromSlash(name)))
	if err != nil {
		return nil, t.mend(err)
	}
	return b, nil
}

// mend tells a missing device from a missing bus.
func (t w1Tree) mend(err error) error {
	if _, statErr := os.Stat(t.folder); errors.Is(statErr, fs.ErrNotExist) {
		return fmt.Errorf("bus: w1 folder %s does not exist: switch 1-Wire on with dtoverlay=w1-gpio in "+
			"/boot/firmware/config.txt, then reboot: %w", t.folder, err)
	}
	return fmt.Errorf("bus: w1: %w", err)
}

package chip

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"aovuon/firmware-sim/fault"
)

// slaveFile is the file a reading comes from.
const slaveFile = "w1_slave"

// W1 is a 1-Wire bus as a file tree, like /sys/bus/w1/devices: a folder per thermometer with w1_slave in it. Opening
// w1_slave does a conversion and takes its time, as reading it does in the kernel; one chip of the bus converts at a time. It
// implements fs.FS, safe for concurrent use.
type W1 struct {
	now    func() time.Time
	sleep  func(d time.Duration)
	faults *fault.Switch
	chips  []*DS18B20
	busy   sync.Mutex // one conversion at a time
}

// NewW1 returns a bus with no chips. now is the clock its conversions run by, and sleep passes time of it.
func NewW1(now func() time.Time, sleep func(d time.Duration)) *W1 {
	return &W1{now: now, sleep: sleep, faults: new(fault.Switch)}
}

// Suffer has the bus suffer the faults of a switch (OneWireFaults).
func (w *W1) Suffer(sw *fault.Switch) { w.faults = sw }

// Add wires a thermometer to the bus, before the bus is used. Two chips of one ROM are an error.
func (w *W1) Add(d *DS18B20) error {
	if path.Base(d.rom) != d.rom || d.rom == "." {
		return fmt.Errorf("chip: %s: rom %q is no name of a folder; want 28-0123456789ab", d.part.Name, d.rom)
	}
	for _, c := range w.chips {
		if c.rom == d.rom {
			return fmt.Errorf("chip: %s and %s both have rom %s", c.part.Name, d.part.Name, d.rom)
		}
	}
	w.chips = append(w.chips, d)
	return nil
}

// present are the chips that answer.
func (w *W1) present() []*DS18B20 {
	var list []*DS18B20
	for _, c := range w.chips {
		if c.fault(w.faults) != fault.Unplug {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *DS18B20) int { return strings.Compare(a.ROM(), b.ROM()) })
	return list
}

// Open implements fs.FS.
func (w *W1) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if name == "." {
		var entries []fs.DirEntry
		for _, c := range w.present() {
			entries = append(entries, info{name: c.ROM(), mode: fs.ModeDir | 0o755})
		}
		return &folder{info: info{name: ".", mode: fs.ModeDir | 0o755}, entries: entries}, nil
	}
	dir, file := path.Split(name)
	for _, c := range w.present() {
		rom := c.ROM()
		switch {
		case dir == "" && file == rom:
			return &folder{info: info{name: rom, mode: fs.ModeDir | 0o755}, entries: []fs.DirEntry{info{name: slaveFile, mode: 0o644}}}, nil
		case dir == rom+"/" && file == slaveFile:
			a := w.convert(c)
			c.account(w.now(), a)
			return &text{info: info{name: slaveFile, mode: 0o644}, Reader: bytes.NewReader([]byte(a.text))}, nil
		}
	}
	for _, c := range w.chips {
		if dir == c.rom+"/" && file == slaveFile {
			c.part.recordFault(w.now(), "", c.fault(w.faults))
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// convert has one chip convert and takes the time of it.
func (w *W1) convert(c *DS18B20) answer {
	w.busy.Lock()
	defer w.busy.Unlock()
	w.sleep(dsConversion)
	return c.convert(w.now(), w.faults)
}

// info describes a file or folder. As in sysfs, it does not know how long a reading will be.
type info struct {
	name string
	mode fs.FileMode
}

func (i info) Name() string               { return i.name }
func (i info) Size() int64                { return 0 }
func (i info) Mode() fs.FileMode          { return i.mode }
func (i info) ModTime() time.Time         { return time.Time{} }
func (i info) IsDir() bool                { return i.mode.IsDir() }
func (i info) Sys() any                   { return nil }
func (i info) Type() fs.FileMode          { return i.mode.Type() }
func (i info) Info() (fs.FileInfo, error) { return i, nil }

// text is an open w1_slave.
type text struct {
	info
	*bytes.Reader
}

func (t *text) Stat() (fs.FileInfo, error) { return t.info, nil }
func (t *text) Close() error               { return nil }
func (t *text) Size() int64                { return t.info.Size() }

// folder is an open folder.
type folder struct {
	info
	entries []fs.DirEntry
}

func (f *folder) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *folder) Close() error               { return nil }

func (f *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.name, Err: fs.ErrInvalid}
}

// ReadDir implements fs.ReadDirFile.
func (f *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(f.entries)
	} else if len(f.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(f.entries))
	list := f.entries[:n]
	f.entries = f.entries[n:]
	return list, nil
}

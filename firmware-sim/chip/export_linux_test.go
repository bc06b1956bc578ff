package chip

// HoldEvents keeps the folder from hearing of readings until release is called.
func (f *Folder) HoldEvents() (release func()) {
	f.watch.mu.Lock()
	return f.watch.mu.Unlock
}

// NewRefreshedFolder is NewFolder on a file system without leases.
func NewRefreshedFolder(w1 *W1, dir string) (*Folder, error) {
	return newFolder(w1, dir, func(string) bool { return false })
}

// Leases reports whether the file system of dir knows leases.
func Leases(dir string) bool { return leases(dir) }

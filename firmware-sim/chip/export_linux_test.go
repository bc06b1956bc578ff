package chip

// HoldEvents keeps the folder from hearing of readings until release is called.
func (f *Folder) HoldEvents() (release func()) {
	f.watch.mu.Lock()
	return f.watch.mu.Unlock
}

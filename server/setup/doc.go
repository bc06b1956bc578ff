// Package setup is what a fresh server is told before it is one: what a technician filled in on the setup page and one-time links to that page
// come in; a state that survives a power cut, the settings file setup.yaml, and findings about this machine go out. It knows no page, no
// database and no server: server/web draws, server/app carries out.
package setup

// The files in the data folder.
const (
	StateFile    = "setup.json" // how far the setup is; see README.md
	SettingsFile = "setup.yaml" // what it settled
	lockFile     = "setup.lock" // held while one of them is changed
)

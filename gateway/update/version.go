package update

import (
	"runtime"
	"runtime/debug"

	"aovuon/gateway/wire"
)

// stamped is the version that the linker wrote into the program (-X aovuon/gateway/update.stamped=…); empty: none.
var stamped string //nolint:gochecknoglobals // the linker can write nothing else

// Build is what is known of a program.
type Build struct {
	Version  wire.Version `json:"version"` // empty: nobody knows
	Commit   string       `json:"commit"`  // empty: nobody knows
	Platform string       `json:"platform"`
}

// Built is this program.
func Built() Build {
	b := Build{Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.Version, b.Commit = wire.VersionOf(info)
	}
	if v, err := wire.ParseVersion(stamped); err == nil {
		b.Version = v
	}
	return b
}

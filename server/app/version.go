package app

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"

	"aovuon/gateway/wire"
)

// stamped is the version that the linker wrote into the program (-X aovuon/server/app.stamped=…); empty: none.
var stamped string //nolint:gochecknoglobals // the linker can write nothing else

// built is the version of this program, the commit it was built from, and the machine it is for; what is not known is empty.
func built() (version, commit, platform string) {
	platform = runtime.GOOS + "/" + runtime.GOARCH
	if info, ok := debug.ReadBuildInfo(); ok {
		v, c := wire.VersionOf(info)
		version, commit = string(v), c
	}
	if stamped != "" {
		version = stamped
	}
	return version, commit, platform
}

// version is this program's, as people are told it; empty where nobody knows.
func version() string {
	v, commit, _ := built()
	if v == "" {
		v = commit[:min(12, len(commit))]
	}
	return v
}

type versionCmd struct {
	JSON bool `help:"Print it as JSON."`
}

// Run prints what is known of this program.
func (cmd *versionCmd) Run(e *env) error {
	v, commit, platform := built()
	if cmd.JSON {
		return json.NewEncoder(e.stdout).Encode(map[string]string{"version": v, "commit": commit, "platform": platform})
	}
	or := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	return e.printf("%s\n", strings.Join([]string{or(v), or(commit), platform}, " "))
}

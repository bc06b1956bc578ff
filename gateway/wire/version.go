package wire

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// MaxVersionLength is the longest version of a program, bytes.
const MaxVersionLength = 48

// Version is the version of a program: decimal numbers joined by dots and, after a +, what tells builds apart for people
// and never counts. 0.20261126.0930+g1a2b3c4
type Version string

// ParseVersion reads a version.
func ParseVersion(s string) (Version, error) {
	numbers, build, tagged := strings.Cut(s, "+")
	bad := len(s) > MaxVersionLength || tagged && !plainTag(build)
	parts := strings.Split(numbers, ".")
	for _, n := range parts {
		_, err := strconv.ParseUint(n, 10, 63)
		bad = bad || err != nil
	}
	if bad || len(parts) > 6 {
		return "", fmt.Errorf("wire: bad version %.64q: write numbers with dots between them, as in 0.20261126.1030+g1a2b3c4", s)
	}
	return Version(s), nil
}

// plainTag keeps out what would be another folder, another line or another address.
func plainTag(s string) bool {
	if s == "" {
		return false
	}
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '.' && r != '-' {
			return false
		}
	}
	return true
}

// Compare returns a negative number when v is before w, 0 when neither is before the other, else a positive one. A number
// that is not there counts as 0; the zero Version is before all others.
func (v Version) Compare(w Version) int {
	a, b := v.numbers(), w.numbers()
	for i := range max(len(a), len(b)) {
		var x, y uint64
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
	}
	return 0
}

func (v Version) numbers() (out []uint64) {
	numbers, _, _ := strings.Cut(string(v), "+")
	for n := range strings.SplitSeq(numbers, ".") {
		x, err := strconv.ParseUint(n, 10, 63)
		if err != nil {
			return nil
		}
		out = append(out, x)
	}
	return out
}

// VersionOf makes a version of the commit a program was built from, 0.20261126.1030+g1a2b3c4, and returns that commit; both are
// empty where the build does not know.
func VersionOf(info *debug.BuildInfo) (v Version, commit string) {
	var at time.Time
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value
		case "vcs.time":
			if t, err := time.Parse(time.RFC3339, s.Value); err == nil {
				at = t.UTC()
			}
		}
	}
	if at.IsZero() || len(commit) < 7 {
		return "", commit
	}
	v, err := ParseVersion(at.Format("0.20060102.1504") + "+g" + commit[:7])
	if err != nil {
		return "", commit
	}
	return v, commit
}

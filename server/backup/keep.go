package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	prefix    = "aovuon-"
	plain     = ".tar.zst"
	encrypted = plain + ".age"
	stampForm = "20060102T150405Z"
)

// Name is the name of an archive of a server, made at a time.
func Name(server string, at time.Time, encrypt bool) string {
	suffix := plain
	if encrypt {
		suffix = encrypted
	}
	return prefix + server + "-" + at.UTC().Format(stampForm) + suffix
}

// IsArchive reports whether a path names an archive, of whatever server.
func IsArchive(path string) bool {
	name := filepath.Base(path)
	return strings.HasPrefix(name, prefix) && (strings.HasSuffix(name, plain) || strings.HasSuffix(name, encrypted))
}

// Archive is one archive in a folder.
type Archive struct {
	Path string
	Made time.Time
	Size int64
}

// Archives returns the archives of a server in a folder, the newest first. A folder that is not there has none.
func Archives(dir, server string) ([]Archive, error) {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	var out []Archive
	for _, e := range list {
		rest, ok := strings.CutPrefix(e.Name(), prefix+server+"-")
		if !ok || !e.Type().IsRegular() {
			continue
		}
		stamp, ok := strings.CutSuffix(rest, encrypted)
		if !ok {
			stamp, ok = strings.CutSuffix(rest, plain)
		}
		at, err := time.Parse(stampForm, stamp)
		if !ok || err != nil {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, fmt.Errorf("backup: %w", err)
		}
		out = append(out, Archive{Path: filepath.Join(dir, e.Name()), Made: at, Size: info.Size()})
	}
	slices.SortFunc(out, func(a, b Archive) int { return b.Made.Compare(a.Made) })
	return out, nil
}

// Keep says how many archives stay: the newest of each of the last Daily days that have one, and of the last Weekly weeks.
type Keep struct {
	Daily  int `yaml:"daily"`
	Weekly int `yaml:"weekly"`
}

// Days is how many days after it was made the last archive of a night is gone, where one is made every night; one is kept in any case.
func (k Keep) Days() int { return max(1, k.Daily, 7*k.Weekly) }

// Superfluous returns the archives of a list, newest first, that need not stay. The newest one stays in any case. zone says when a day begins.
func (k Keep) Superfluous(list []Archive, zone *time.Location) (out []Archive) {
	days, weeks := map[string]bool{}, map[string]bool{}
	for i, a := range list {
		at := a.Made.In(zone)
		year, week := at.ISOWeek()
		day, ofWeek := at.Format(time.DateOnly), fmt.Sprint(year, "-", week)
		stays := i == 0
		if !days[day] && len(days) < k.Daily {
			days[day], stays = true, true
		}
		if !weeks[ofWeek] && len(weeks) < k.Weekly {
			weeks[ofWeek], stays = true, true
		}
		if !stays {
			out = append(out, a)
		}
	}
	return out
}

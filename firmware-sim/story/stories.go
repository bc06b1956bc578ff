package story

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed stories/*.txt
var stories embed.FS

// Names lists the stories that are built in.
func Names() (names []string) {
	files, err := fs.Glob(stories, "stories/*.txt")
	if err != nil {
		return nil // the pattern is a constant
	}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(f, "stories/"), ".txt"))
	}
	return names
}

// About is the first line of a story that is built in.
func About(name string) string {
	_, text, err := Find(name)
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(strings.TrimPrefix(first, "#"))
}

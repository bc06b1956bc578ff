// Package calibration holds the guides for calibrating probes in the field, as Markdown in Vietnamese and English: the server shows them under its help.
package calibration

import "embed"

// Files are the guides.
//
//go:embed *.vi.md *.en.md
var Files embed.FS

// Names lists the guides: what holds for all, each kind of probe, the form to write on.
func Names() []string { return []string{"before", "ph", "do", "ec", "soil", "form"} }

// GuideFile is the file of a guide in a language, vi or en.
func GuideFile(name, lang string) string { return name + "." + lang + ".md" }

// Package bulletin writes what is to be read aloud over the commune's loudspeakers, or printed and pinned up, as text files in a folder: of a
// share, a stick, a machine at the studio. Loudspeakers have no interface of their own that is open (Circular 39/2020/TT-BTTTT); people read.
//
// Messages come in, whose To names a reader, such as a village; <to>.txt, always the newest, and a dated copy of each go out. Files are UTF-8
// with a byte order mark and lines ending in CRLF, so that Notepad shows them, whole or not at all.
package bulletin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"aovuon/gateway/wire"
	"aovuon/server/farm"
	"aovuon/server/watch/notify"
)

// Name is the channel's.
const Name = "bulletin"

// Keep is how many dated copies of each reader stay.
const Keep = 60

// Channel writes files.
type Channel struct{ dir string }

// New returns the channel. The folder is made with the first message: a stick may not be there yet.
func New(dir string) *Channel { return &Channel{dir} }

// Name is "bulletin".
func (c *Channel) Name() string { return Name }

var reader = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// CheckAddress takes the name of a reader, which is the name of a file.
func (c *Channel) CheckAddress(to string) (string, error) {
	to = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(to)), ".txt")
	if !reader.MatchString(to) {
		return "", fmt.Errorf("bulletin: %q is no name of a file: write small letters without diacritics, digits and hyphens, such as thon-phu-khe", to)
	}
	return to, nil
}

// Send writes m. Its reference is the name of the dated file; a message that is sent again writes the same one.
func (c *Channel) Send(ctx context.Context, m notify.Message) (string, error) {
	to, err := c.CheckAddress(m.To)
	if err != nil {
		return "", fmt.Errorf("%w: %w", notify.ErrPermanent, err)
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return "", fmt.Errorf("bulletin: %w", err)
	}
	text := text(m)
	dated := fmt.Sprintf("%s-%s-%s.txt", to, m.Created.In(farm.Time()).Format("20060102-1504"), tail(m.ID))
	for _, name := range []string{dated, to + ".txt"} {
		if err := wire.WriteFile(filepath.Join(c.dir, name), text, 0o644); err != nil {
			return "", fmt.Errorf("bulletin: %w", err)
		}
	}
	return dated, c.sweep(to)
}

// text is what the file says.
func text(m notify.Message) []byte {
	var b strings.Builder
	b.WriteString("\ufeff")
	if m.Subject != "" && !strings.HasPrefix(m.Text, m.Subject) {
		b.WriteString(m.Subject + "\n\n")
	}
	b.WriteString(strings.TrimRight(strings.ReplaceAll(m.Text, "\r\n", "\n"), "\n") + "\n")
	return []byte(strings.ReplaceAll(b.String(), "\n", "\r\n"))
}

// tail is the end of an id, which differs between messages of a minute.
func tail(id string) string {
	id = strings.ToLower(id)
	return id[max(0, len(id)-6):]
}

// sweep removes the oldest dated files of a reader. Files of others are left alone.
func (c *Channel) sweep(to string) error {
	list, err := os.ReadDir(c.dir)
	if err != nil {
		return fmt.Errorf("bulletin: %w", err)
	}
	mine := regexp.MustCompile(`^` + to + `-\d{8}-\d{4}-[0-9a-z]{0,6}\.txt$`)
	var dated []string
	for _, f := range list {
		if mine.MatchString(f.Name()) {
			dated = append(dated, f.Name())
		}
	}
	slices.Sort(dated)
	for len(dated) > Keep {
		if err := os.Remove(filepath.Join(c.dir, dated[0])); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("bulletin: %w", err)
		}
		dated = dated[1:]
	}
	return nil
}

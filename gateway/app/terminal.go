package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
)

// printer remembers the first error of writing.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) text(s string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, s)
	}
}

func (p *printer) line(format string, args ...any) { p.text(fmt.Sprintf(format, args...) + "\n") }

// lines reads lines such that Ctrl-C need not wait for one.
type lines struct {
	r     io.Reader
	lines chan string
	err   error
}

func newLines(r io.Reader) *lines { return &lines{r: r} }

// next returns the next line. The first call starts a goroutine that lives as long as the reader does.
func (l *lines) next(ctx context.Context) (string, error) {
	if l.lines == nil {
		l.lines = make(chan string)
		go func() {
			s := bufio.NewScanner(l.r)
			for s.Scan() {
				l.lines <- s.Text()
			}
			l.err = s.Err()
			close(l.lines)
		}()
	}
	select {
	case s, ok := <-l.lines:
		if !ok {
			return "", errors.Join(errors.New("no more answers on standard input"), l.err)
		}
		return s, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

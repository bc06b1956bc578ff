package child

import (
	"bytes"
	"io"
	"sync"
)

// Screen is a terminal that several programs write to, line by line.
type Screen struct {
	mu sync.Mutex
	w  io.Writer
}

// Prefixed is a writer that puts a program's name before each of its lines. Lines of different writers never mix.
type Prefixed struct {
	screen *Screen
	prefix string
	part   []byte // a line that has not ended yet
	hold   bool   // keep whole lines too, until release
}

// NewScreen returns a screen on w.
func NewScreen(w io.Writer) *Screen { return &Screen{w: w} }

// Writer returns a writer that puts prefix before each of its lines.
func (s *Screen) Writer(prefix string) *Prefixed { return &Prefixed{screen: s, prefix: prefix} }

// Write implements io.Writer.
func (p *Prefixed) Write(b []byte) (int, error) {
	p.screen.mu.Lock()
	defer p.screen.mu.Unlock()
	p.part = append(p.part, b...)
	if p.hold {
		return len(b), nil
	}
	if err := p.flush(); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Release prints what was held back, and from then on everything at once.
func (p *Prefixed) Release() error {
	p.screen.mu.Lock()
	defer p.screen.mu.Unlock()
	p.hold = false
	return p.flush()
}

// flush prints the whole lines there are. The caller holds the screen.
func (p *Prefixed) flush() error {
	end := bytes.LastIndexByte(p.part, '\n')
	if end < 0 {
		return nil
	}
	var out []byte
	for line := range bytes.Lines(p.part[:end+1]) {
		out = append(append(out, p.prefix...), line...)
	}
	p.part = append(p.part[:0], p.part[end+1:]...)
	_, err := p.screen.w.Write(out)
	return err
}

// end writes out what is left, also a last line that has no end.
func (p *Prefixed) end() error {
	if err := p.Release(); err != nil {
		return err
	}
	p.screen.mu.Lock()
	open := len(p.part) > 0
	p.screen.mu.Unlock()
	if !open {
		return nil
	}
	_, err := p.Write([]byte("\n"))
	return err
}

package app

import (
	"bytes"
	"io"
	"sync"
)

// screen is a terminal that several programs write to, line by line.
type screen struct {
	mu sync.Mutex
	w  io.Writer
}

// prefixed is a writer that puts a program's name before each of its lines. Lines of different writers never mix.
type prefixed struct {
	screen *screen
	prefix string
	part   []byte // a line that has not ended yet
	hold   bool   // keep whole lines too, until release
}

func (s *screen) writer(prefix string) *prefixed { return &prefixed{screen: s, prefix: prefix} }

// Write implements io.Writer.
func (p *prefixed) Write(b []byte) (int, error) {
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

// release prints what was held back, and from then on everything at once.
func (p *prefixed) release() error {
	p.screen.mu.Lock()
	defer p.screen.mu.Unlock()
	p.hold = false
	return p.flush()
}

// flush prints the whole lines there are. The caller holds the screen.
func (p *prefixed) flush() error {
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
func (p *prefixed) end() error {
	if err := p.release(); err != nil {
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

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
}

func (s *screen) writer(prefix string) *prefixed { return &prefixed{screen: s, prefix: prefix} }

// Write implements io.Writer.
func (p *prefixed) Write(b []byte) (int, error) {
	p.screen.mu.Lock()
	defer p.screen.mu.Unlock()
	p.part = append(p.part, b...)
	end := bytes.LastIndexByte(p.part, '\n')
	if end < 0 {
		return len(b), nil
	}
	var out []byte
	for line := range bytes.Lines(p.part[:end+1]) {
		out = append(append(out, p.prefix...), line...)
	}
	p.part = append(p.part[:0], p.part[end+1:]...)
	if _, err := p.screen.w.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// end writes out a last line that has no end.
func (p *prefixed) end() error {
	p.screen.mu.Lock()
	open := len(p.part) > 0
	p.screen.mu.Unlock()
	if !open {
		return nil
	}
	_, err := p.Write([]byte("\n"))
	return err
}

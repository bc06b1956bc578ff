package story

import (
	"bytes"
	"fmt"
	"sync"
)

// Output keeps what a program prints, and tells who waits for a text in it. It is safe for concurrent use.
type Output struct {
	mu    sync.Mutex
	all   []byte
	from  int // where the present run began
	waits map[string]chan struct{}
}

// Write implements io.Writer.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, b...)
	for text, c := range o.waits {
		if bytes.Contains(o.all[o.from:], []byte(text)) {
			close(c)
			delete(o.waits, text)
		}
	}
	return len(b), nil
}

func (o *Output) restart() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.from = len(o.all)
}

// seen returns a channel that is closed when text has been printed since the last start.
func (o *Output) seen(text string) <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	c, waits := o.waits[text]
	if !waits {
		c = make(chan struct{})
	}
	if bytes.Contains(o.all[o.from:], []byte(text)) {
		if !waits {
			close(c)
		}
		return c
	}
	if o.waits == nil {
		o.waits = map[string]chan struct{}{}
	}
	o.waits[text] = c
	return c
}

// Run returns what was printed since the last start.
func (o *Output) Run() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.all[o.from:])
}

// Tail returns the last n bytes of all that was printed.
func (o *Output) Tail(n int) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.all
	if len(b) > n {
		b = append([]byte(fmt.Sprintf("(%d bytes before)\n", len(b)-n)), b[len(b)-n:]...)
	}
	return string(b)
}

// Crash returns the beginning of a panic or of a data race, if one was ever printed.
func (o *Output) Crash() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, sign := range []string{"panic: ", "fatal error: ", "WARNING: DATA RACE"} {
		if i := bytes.Index(o.all, []byte(sign)); i >= 0 {
			return string(o.all[i:min(len(o.all), i+6<<10)])
		}
	}
	return ""
}

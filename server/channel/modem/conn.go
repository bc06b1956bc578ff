package modem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Times that modems take (3GPP 27.005 and makers' manuals): a command of their own, one to the network.
const (
	ownPatience     = 5 * time.Second
	networkPatience = 60 * time.Second
)

// errGone is a modem that cannot be talked to any more; the next message opens it again.
var errGone = errors.New("the modem is gone: is it plugged in?")

// conn is an open modem. Its commands are given by one goroutine at a time.
type conn struct {
	port   io.ReadWriteCloser
	said   chan string  // answers, and what nobody asked for
	report func(string) // is given the PDUs of reports

	once sync.Once
	dead chan struct{}
	why  error // set before dead is closed
}

func newConn(port io.ReadWriteCloser, report func(string)) *conn {
	k := &conn{port: port, said: make(chan string, 64), report: report, dead: make(chan struct{})}
	go k.read()
	return k
}

// read listens until the port breaks.
func (k *conn) read() {
	var buf []byte
	chunk := make([]byte, 512)
	inReport := false
	for {
		n, err := k.port.Read(chunk)
		if err == nil && n == 0 {
			err = io.EOF
		}
		if err != nil {
			k.end(fmt.Errorf("%w (%w)", errGone, err))
			return
		}
		buf = append(buf, chunk[:n]...)
		for {
			line, rest, ok := lex(buf)
			buf = rest
			if !ok {
				break
			}
			switch {
			case inReport:
				inReport = false
				k.report(line)
			case strings.HasPrefix(line, headReport):
				inReport = true
			default:
				k.hear(line)
			}
		}
	}
}

// hear keeps a line for the command that is under way. A modem that talks and talks is not waited for: the oldest is dropped.
func (k *conn) hear(line string) {
	for {
		select {
		case k.said <- line:
			return
		default:
		}
		select {
		case <-k.said:
		default:
		}
	}
}

// end closes the port, once.
func (k *conn) end(why error) {
	k.once.Do(func() {
		k.why = why
		close(k.dead)
		_ = k.port.Close() //nolint:errcheck // it is given up
	})
}

// alive reports whether the modem can still be talked to.
func (k *conn) alive() bool {
	select {
	case <-k.dead:
		return false
	default:
		return true
	}
}

// ask gives a command and returns the lines of its answer before OK. An answer that does not come ends the connection: what would come later
// belongs to nobody.
func (k *conn) ask(ctx context.Context, command string, patience time.Duration) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := k.begin(ctx, command+"\r"); err != nil {
		return nil, fmt.Errorf("%s: %w", shown(command), err)
	}
	lines, _, err := k.answer(ctx, command, false)
	if err != nil {
		return lines, fmt.Errorf("%s: %w", shown(command), err)
	}
	return lines, nil
}

// submit gives a command that asks for a text, and the text.
func (k *conn) submit(ctx context.Context, command, text string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, networkPatience)
	defer cancel()
	if err := k.begin(ctx, command+"\r"); err != nil {
		return nil, err
	}
	if _, prompted, err := k.answer(ctx, command, true); err != nil || !prompted {
		return nil, errors.Join(err, k.notPrompted(err))
	}
	if err := k.write(ctx, text+"\x1a"); err != nil {
		return nil, err
	}
	lines, _, err := k.answer(ctx, text, false)
	return lines, err
}

func (k *conn) notPrompted(err error) error {
	if err == nil {
		return errors.New("the modem said OK and asked for no text")
	}
	return nil
}

// quiet waits until the modem has said nothing for a time.
func (k *conn) quiet(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-k.said:
			t.Reset(d)
		case <-t.C:
			return nil
		case <-k.dead:
			return k.why
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// begin writes a command after throwing away what was said before.
func (k *conn) begin(ctx context.Context, command string) error {
	for {
		select {
		case <-k.said:
			continue
		default:
		}
		return k.write(ctx, command)
	}
}

// write writes; a modem that takes nothing is given up when ctx ends.
func (k *conn) write(ctx context.Context, s string) error {
	stop := context.AfterFunc(ctx, func() { k.end(ctx.Err()) })
	defer stop()
	if _, err := io.WriteString(k.port, s); err != nil {
		k.end(fmt.Errorf("%w (%w)", errGone, err))
		return k.reason(ctx)
	}
	return nil
}

// answer waits for the last line of an answer, or for the prompt.
func (k *conn) answer(ctx context.Context, command string, wantPrompt bool) (lines []string, prompted bool, err error) {
	name, _, _ := strings.Cut(strings.TrimPrefix(command, "AT"), "=")
	name = strings.TrimSuffix(name, "?")
	for {
		select {
		case <-ctx.Done():
			_, _ = io.WriteString(k.port, "\x1b") //nolint:errcheck // leaves a prompt, where there is one
			k.end(fmt.Errorf("the modem did not answer in time: %w", ctx.Err()))
			return lines, false, k.why
		case <-k.dead:
			return lines, false, k.reason(ctx)
		case line := <-k.said:
			if line == prompt {
				if wantPrompt {
					return lines, true, nil
				}
				continue
			}
			if strings.EqualFold(line, command) || unasked(line, name) {
				continue // an echo
			}
			if done, err := final(line); done {
				return lines, false, err
			}
			lines = append(lines, line)
		}
	}
}

// reason is why the connection ended; the caller's own wish, where it was that.
func (k *conn) reason(ctx context.Context) error {
	if ctx.Err() != nil {
		return fmt.Errorf("the modem did not answer in time: %w", ctx.Err())
	}
	<-k.dead
	return k.why
}

// shown is a command without its secret.
func shown(command string) string {
	if strings.HasPrefix(command, "AT+CPIN=") {
		return "AT+CPIN=…"
	}
	return command
}

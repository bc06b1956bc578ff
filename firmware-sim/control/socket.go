package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

const (
	// maxLine bounds a request.
	maxLine = 4096
	// patience is how long Ask waits for an answer: as long as a gateway may take to end when it is told to, and more.
	patience = time.Minute
)

// Serve answers requests (FORMAT.md) on l until ctx is done; then it closes l and its connections and returns when all of
// them have ended.
func (d *Desk) Serve(ctx context.Context, l net.Listener) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	closed := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { closed <- l.Close() })
	for {
		conn, err := l.Accept()
		if err != nil {
			if !stop() { // the listener was closed on purpose
				return <-closed
			}
			return errors.Join(fmt.Errorf("control socket: %w", err), l.Close())
		}
		wg.Go(func() {
			release := context.AfterFunc(ctx, func() { hangUp(conn) })
			defer release()
			d.answerAll(By(ctx, "socket"), conn)
			hangUp(conn)
		})
	}
}

// hangUp ends a connection. Closing twice is harmless, and there is nobody left to tell.
func hangUp(c io.Closer) {
	if err := c.Close(); err != nil {
		return
	}
}

func (d *Desk) answerAll(ctx context.Context, conn io.ReadWriter) {
	in := bufio.NewScanner(conn)
	in.Buffer(make([]byte, maxLine), maxLine)
	for in.Scan() {
		if _, err := io.WriteString(conn, d.answer(ctx, in.Text())); err != nil {
			return
		}
	}
	if errors.Is(in.Err(), bufio.ErrTooLong) {
		if _, err := fmt.Fprintf(conn, "error: line longer than %d bytes\n", maxLine); err != nil {
			return
		}
	}
}

// answer is the whole reply to one request line. Whatever verbs say, no line of theirs ends it but the last.
func (d *Desk) answer(ctx context.Context, line string) string {
	lines, err := d.Do(ctx, line)
	if err != nil {
		return "error: " + strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ") + "\n"
	}
	var out strings.Builder
	for _, said := range lines {
		for part := range strings.SplitSeq(said, "\n") {
			if part == "ok" || strings.HasPrefix(part, "error: ") {
				out.WriteByte(' ')
			}
			out.WriteString(part + "\n")
		}
	}
	return out.String() + "ok\n"
}

// Ask sends one request to a control socket and returns the lines of the reply. An error reply is an error.
func Ask(ctx context.Context, socket, request string) (lines []string, err error) {
	if strings.ContainsAny(request, "\r\n") {
		return nil, fmt.Errorf("%w: %q is more than one line", ErrUsage, request)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("no simulator answers at %s (is `firmware-sim serve` running?): %w", socket, err)
	}
	stop := context.AfterFunc(ctx, func() { hangUp(conn) })
	defer func() {
		if stop() {
			err = errors.Join(err, conn.Close())
		}
	}()
	if _, err := io.WriteString(conn, request+"\n"); err != nil {
		return nil, fmt.Errorf("ask %s: %w", socket, err)
	}
	in := bufio.NewScanner(conn)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		switch line := in.Text(); {
		case line == "ok":
			return lines, nil
		case strings.HasPrefix(line, "error: "):
			return nil, errors.New(strings.TrimPrefix(line, "error: "))
		default:
			lines = append(lines, line)
		}
	}
	return nil, fmt.Errorf("%s hung up: %w", socket, errors.Join(in.Err(), ctx.Err(), io.ErrUnexpectedEOF))
}

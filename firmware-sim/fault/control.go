package fault

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

// maxLine bounds a request; the longest sensible one is a device name and a fault.
const maxLine = 256

// Serve answers control requests (FORMAT.md) on l until ctx is done; then it closes l and its connections and returns
// when all of them have ended.
func Serve(ctx context.Context, l net.Listener, b *Board) error {
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
			return errors.Join(fmt.Errorf("fault: control socket: %w", err), l.Close())
		}
		wg.Go(func() {
			release := context.AfterFunc(ctx, func() { hangUp(conn) })
			defer release()
			answerAll(conn, b)
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

func answerAll(conn io.ReadWriter, b *Board) {
	in := bufio.NewScanner(conn)
	in.Buffer(make([]byte, maxLine), maxLine)
	for in.Scan() {
		if _, err := io.WriteString(conn, answer(b, in.Text())); err != nil {
			return
		}
	}
	if errors.Is(in.Err(), bufio.ErrTooLong) {
		if _, err := io.WriteString(conn, "error: line longer than 256 bytes\n"); err != nil {
			return
		}
	}
}

// answer is the whole reply to one request line.
func answer(b *Board, line string) string {
	words := strings.Fields(line)
	switch {
	case len(words) == 1 && words[0] == "list":
		var out strings.Builder
		for _, d := range b.Devices() {
			state := string(d.Fault)
			if d.Fault == None {
				state = "healthy"
			}
			fmt.Fprintf(&out, "%s %s %s\n", d.Name, state, strings.ReplaceAll(join(d.Kinds), ", ", ","))
		}
		return out.String() + "ok\n"
	case len(words) == 2 && words[0] == "heal" && words[1] == "all":
		b.HealAll()
		return "ok\n"
	case len(words) == 2 && words[0] == "heal":
		return result(b.Set(words[1], None))
	case len(words) > 0 && (words[0] == "dip" || words[0] == "drift"):
		return result(care(b, words))
	case len(words) == 3 && words[0] == "set":
		return result(b.Set(words[1], Kind(words[2])))
	}
	return "error: want: set DEVICE FAULT, heal DEVICE, heal all, dip, drift, or list\n"
}

func result(err error) string {
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	return "ok\n"
}

// Ask sends one request to a control socket and returns the lines of the reply. An error reply is an error.
func Ask(ctx context.Context, socket, request string) (lines []string, err error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("fault: no simulator answers at %s (is `firmware-sim serve` running?): %w", socket, err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil { //nolint:forbidigo // an I/O deadline, no reading's time
		return nil, fmt.Errorf("fault: %w", err)
	}
	if _, err := io.WriteString(conn, request+"\n"); err != nil {
		return nil, fmt.Errorf("fault: ask %s: %w", socket, err)
	}
	in := bufio.NewScanner(conn)
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
	return nil, fmt.Errorf("fault: %s hung up: %w", socket, errors.Join(in.Err(), io.ErrUnexpectedEOF))
}

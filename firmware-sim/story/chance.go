package story

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// chance is a story's source of random moments.
type chance struct{ *rand.Rand }

func newChance(seed uint64) *chance { return &chance{rand.New(rand.NewPCG(seed, 0))} }

// upTo draws a duration below limit.
func (c *chance) upTo(limit time.Duration) time.Duration {
	return time.Duration(c.Int64N(int64(max(limit, 1))))
}

// The ports of stories lie below the range from which outgoing connections take theirs, so that a program that was killed finds its
// port free again.
const (
	portFirst = 10000
	portCount = 9000
)

// ReservePort returns a loopback port nobody listens on, and keeps it from other stories, of other processes too, by a locked file
// until it is closed. It is drawn without a seed: stories run side by side.
func ReservePort(ctx context.Context) (port int, keep io.Closer, err error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("aovuon-story-ports-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, nil, fmt.Errorf("story: ports: %w", err)
	}
	for range 1000 {
		port := portFirst + rand.IntN(portCount)
		f, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(port)), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return 0, nil, fmt.Errorf("story: ports: %w", err)
		}
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil && free(ctx, port) {
			return port, f, nil
		}
		if bad := f.Close(); bad != nil || err != nil && !errors.Is(err, syscall.EWOULDBLOCK) {
			return 0, nil, fmt.Errorf("story: ports: %w", errors.Join(err, bad))
		}
	}
	return 0, nil, errors.New("story: no free port")
}

func free(ctx context.Context, port int) bool {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", loopback(port))
	return err == nil && l.Close() == nil
}

// freePort reserves a port until the script ends.
func (c *cast) freePort(ts *testscript.TestScript) int {
	port, keep, err := ReservePort(c.ctx)
	ts.Check(err)
	ts.Defer(func() {
		if err := keep.Close(); err != nil {
			c.t.Error(err)
		}
	})
	return port
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

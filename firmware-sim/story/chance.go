package story

import (
	"math/rand/v2"
	"net"
	"strconv"
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

// freePort returns a loopback port nobody listens on, from a range that outgoing connections do not use, so that a program
// that was killed finds it free again. It is drawn without the seed: stories run side by side.
func (c *cast) freePort(ts *testscript.TestScript) int {
	for range 1000 {
		port := 10000 + rand.IntN(9000)
		l, err := (&net.ListenConfig{}).Listen(c.ctx, "tcp", loopback(port))
		if err != nil {
			continue
		}
		ts.Check(l.Close())
		return port
	}
	ts.Fatalf("no free port")
	return 0
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

package link_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"aovuon/firmware-sim/control"
	"aovuon/firmware-sim/link"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// echo is a far end that repeats what it hears.
func echo(t *testing.T) string {
	l := listen(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				if _, err := io.Copy(c, c); err != nil {
					t.Logf("echo: %v", err)
				}
				if err := c.Close(); err != nil {
					t.Logf("echo: %v", err)
				}
			})
		}
	})
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
	})
	return l.Addr().String()
}

// network is a link to an echo.
func network(t *testing.T, second time.Duration) (l *link.Link, address string) {
	t.Helper()
	in := listen(t)
	l = link.New(link.Options{Name: "gw-1", To: echo(t), Now: time.Now, Second: second, Seed: 1, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx, in) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l, in.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return c
}

// says sends text and returns what comes back within d.
func says(c net.Conn, text string, d time.Duration) (string, error) {
	if _, err := io.WriteString(c, text); err != nil {
		return "", err
	}
	if err := c.SetReadDeadline(time.Now().Add(d)); err != nil {
		return "", err
	}
	got := make([]byte, len(text))
	n, err := io.ReadFull(c, got)
	return string(got[:n]), err
}

// calls opens a connection and says something on it.
func calls(t *testing.T, address, text string) (string, error) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		return "", err
	}
	got, err := says(c, text, enough)
	return got, errors.Join(err, c.Close())
}

func set(t *testing.T, l *link.Link, c link.Condition) {
	t.Helper()
	if err := l.Set(c); err != nil {
		t.Fatal(err)
	}
}

const enough = 3 * time.Minute

func TestLink_GoodCarriesEverything(t *testing.T) {
	_, address := network(t, 0)
	c := dial(t, address)
	text := strings.Repeat("ao và vườn ", 50_000)
	if got, err := says(c, text, enough); err != nil || got != text {
		t.Errorf("%d of %d bytes came back: %v", len(got), len(text), err)
	}
}

func TestLink_DownResetsAndRefuses(t *testing.T) {
	l, address := network(t, 0)
	c := dial(t, address)
	if got, err := says(c, "chào", enough); err != nil || got != "chào" {
		t.Fatal(got, err)
	}
	set(t, l, link.Condition{Down: true})
	if _, err := says(c, "chào", enough); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("a connection that was open: %v", err)
	}
	if _, err := calls(t, address, "chào"); err == nil {
		t.Error("a new connection works")
	}
	if s := l.Stats(); s.Refused != 1 {
		t.Errorf("%+v", s)
	}
	set(t, l, link.Condition{})
	if got, err := says(dial(t, address), "chào", enough); err != nil || got != "chào" {
		t.Errorf("up again: %q, %v", got, err)
	}
}

func TestLink_HalfOpenIsSilentAndLosesNothing(t *testing.T) {
	l, address := network(t, 0)
	before := dial(t, address)
	if _, err := says(before, "a", enough); err != nil {
		t.Fatal(err)
	}
	set(t, l, link.Condition{HalfOpen: true})
	during := dial(t, address)
	for name, c := range map[string]net.Conn{"open before": before, "opened during": during} {
		if got, err := says(c, "chào", 50*time.Millisecond); got != "" || !errors.Is(err, context.DeadlineExceeded) && !isTimeout(err) {
			t.Errorf("%s: %q, %v; want silence", name, got, err)
		}
	}
	set(t, l, link.Condition{})
	for _, c := range []net.Conn{before, during} {
		if err := c.SetReadDeadline(time.Now().Add(enough)); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len("chào"))
		if _, err := io.ReadFull(c, got); err != nil || string(got) != "chào" {
			t.Errorf("after it: %q, %v", got, err)
		}
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// A lower bound is all that can be said of times on a busy machine.
func TestLink_SlowTakesItsTime(t *testing.T) {
	l, address := network(t, 0)
	c := dial(t, address)
	set(t, l, link.Condition{Trip: 120 * time.Millisecond, Rate: 100_000})
	text := strings.Repeat("x", 10_000) // 0.1 s each way, of which one lies behind the other but for a segment
	began := time.Now()
	if got, err := says(c, text, enough); err != nil || got != text {
		t.Fatal(len(got), err)
	}
	if took := time.Since(began); took < 220*time.Millisecond {
		t.Errorf("there and back in %v", took)
	}
}

func TestLink_LossDelaysAndKeepsTheOrder(t *testing.T) {
	l, address := network(t, time.Millisecond)
	c := dial(t, address)
	set(t, l, link.Condition{Loss: 0.3})
	want := bytes.Repeat([]byte("0123456789"), 20_000)
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(want)
		sent <- err
	}()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v, equal: %t", err, bytes.Equal(got, want))
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	s := l.Stats()
	if share := float64(s.Lost) / float64(s.Segments); s.Segments < len(want)/1400 || // a buffer of a good link is still waited in
		share < 0.3 || share > 0.6 { // 0.3 + 0.3² + …
		t.Errorf("%d losses of %d segments", s.Lost, s.Segments)
	}
}

func TestLink_LosingNearlyAllBreaksTheConnection(t *testing.T) {
	l, address := network(t, time.Millisecond)
	set(t, l, link.Condition{Loss: link.MaxLoss})
	c := dial(t, address)
	for range 1000 {
		if _, err := says(c, "chào", enough); err != nil {
			if isTimeout(err) {
				t.Error("silence for ever")
			}
			if s := l.Stats(); s.Resets == 0 {
				t.Errorf("%v, and %+v", err, s)
			}
			return
		}
	}
	t.Error("a thousand times lucky")
}

func TestLink_FlapsAndTakesConnectionsAlong(t *testing.T) {
	l, address := network(t, 0)
	set(t, l, link.Condition{Flap: 3 * time.Millisecond})
	deadline := time.Now().Add(enough)
	for s := l.Stats(); s.Flaps < 4 || s.Resets < 2; s = l.Stats() {
		if time.Now().After(deadline) {
			t.Fatalf("%+v", s)
		}
		c := dial(t, address)
		for {
			if _, err := says(c, "x", enough); err != nil {
				break
			}
		}
	}
	set(t, l, link.Condition{})
	if got, err := says(dial(t, address), "chào", enough); err != nil || got != "chào" {
		t.Errorf("steady again: %q, %v", got, err)
	}
}

func TestVerb(t *testing.T) {
	l, address := network(t, 0)
	far := link.New(link.Options{Name: "gw-2", To: address, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	d := control.NewDesk()
	if err := d.Add(link.Verb([]*link.Link{l, far})); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]link.Condition{
		"link gw-1 down":           {Down: true},
		"link gw-1 half-open":      {HalfOpen: true},
		"link gw-1 slow 800ms 64":  {Trip: 800 * time.Millisecond, Rate: 8000},
		"link all slow 2s":         {Trip: 2 * time.Second},
		"link gw-1 lossy 30":       {Loss: 0.3},
		"link gw-1 lossy 12.5%":    {Loss: 0.125},
		"link gw-1 flap 30s":       {Flap: 30 * time.Second},
		"link gw-1 up":             {},
		"link gw-1 cut":            {},
		"link all up":              {},
		"link list":                {},
		"help link":                {},
		"link gw-1 slow 0s 0.0001": {}, // refused
	} {
		set(t, l, link.Condition{})
		_, err := d.Do(t.Context(), line)
		if (err != nil) != (line == "link gw-1 slow 0s 0.0001") {
			t.Errorf("%s: %v", line, err)
		}
		if diff := cmp.Diff(want, l.Condition()); diff != "" {
			t.Errorf("%s: %s", line, diff)
		}
	}
	set(t, l, link.Condition{})
	for _, line := range []string{"link gw-1 slow 1s 64", "link gw-1 lossy 20", "link gw-1 down", "link gw-1 half-open"} { // sides of it add up
		if _, err := d.Do(t.Context(), line); err != nil {
			t.Error(err)
		}
	}
	if got := l.Condition().Words(); !slices.Equal(got, []string{"half-open", "slow 1s 64", "lossy 20"}) {
		t.Error(got)
	}
	lines, err := d.Do(t.Context(), "link list")
	if err != nil || len(lines) != 2 || !strings.HasPrefix(lines[0], "gw-1 half-open+slow_1s_64+lossy_20 to=127.0.0.1:") || !strings.HasPrefix(lines[1], "gw-2 ") {
		t.Error(lines, err)
	}
	for line, mend := range map[string]string{
		"link": "link list", "link gw-1": "link ID down", "link gw-9 down": "gw-1, gw-2", "link gw-1 love": "want down", "link gw-1 down now": "want down",
		"link gw-1 lossy 99": "0 to 95", "link gw-1 lossy much": "0 to 95", "link gw-1 slow": "slow RTT", "link gw-1 slow 1": "800ms", "link gw-1 slow 1h": "1m",
		"link gw-1 flap -1s": "30s", "link gw-1 flap": "flap PERIOD", "link gw-1 lossy NaN": "0 to 95", "link gw-1 slow 1s NaN": "kilobits",
	} {
		if _, err := d.Do(t.Context(), line); !errors.Is(err, control.ErrUsage) || !strings.Contains(err.Error(), mend) {
			t.Errorf("%s: %v; want %q", line, err, mend)
		}
	}
}

func TestLink_NobodyAtTheFarEnd(t *testing.T) {
	gone := listen(t)
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	in := listen(t)
	l := link.New(link.Options{Name: "gw-1", To: gone.Addr().String(), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx, in) }()
	if _, err := calls(t, in.Addr().String(), "chào"); err == nil || isTimeout(err) {
		t.Errorf("a broker that is not there: %v; want a reset at once", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

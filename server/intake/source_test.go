package intake_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/ingest"
	"aovuon/server/intake"
)

// rig is a source whose log is a slice, or fails.
type rig struct {
	mu      sync.Mutex
	sealed  []measure.Reading
	broken  bool
	refused map[ingest.Reason]int
	unknown []intake.Unknown
	source  *intake.Source
	file    string
}

func (r *rig) SaveUnknown(_ context.Context, list []intake.Unknown) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unknown = append(r.unknown, list...)
	return nil
}

func newRig(t *testing.T, mapping string, rate float64, burst int) *rig {
	t.Helper()
	r := &rig{refused: map[ingest.Reason]int{}, file: filepath.Join(t.TempDir(), "map.yaml")}
	if err := os.WriteFile(r.file, []byte(mapping), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	r.source, err = intake.NewSource(intake.Options{
		Name: "lora", File: r.file, Rate: rate, Burst: burst, Serving: func() bool { return true }, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Unknown: intake.NewUnknowns(r, slog.New(slog.DiscardHandler)),
		Refuse: func(x ingest.Refusal) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.refused[x.Reason]++
		},
		Seal: func(_ context.Context, list []measure.Reading) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.broken {
				return errors.New("disk full")
			}
			r.sealed = append(r.sealed, list...)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const timed = "kind: json\ndevice_field: d\ntime_field: t\ndevices: { a: { sensor: s1, values: { v: { quantity: ph } } } }"

func message(at time.Time, v float64) intake.Message {
	return intake.Message{Body: fmt.Appendf(nil, `{"d":"a","t":%q,"v":%g}`, at.Format(time.RFC3339), v), Received: at}
}

// While the log fails, nobody is told that something is durable, the same message again neither, and nothing is lost or there twice in the end.
func TestSource_AnswersAfterTheCommitAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, timed, 0, 0)
		r.broken = true
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.source.Run(ctx) }()
		at := time.Now()
		for range 2 {
			short, cancel := context.WithTimeout(ctx, 10*time.Second)
			if _, err := r.source.Take(short, message(at, 7)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("answered before the commit: %v", err)
			}
			cancel()
		}
		if !strings.Contains(r.source.Trouble(), "disk full") {
			t.Errorf("trouble: %q", r.source.Trouble())
		}
		r.mu.Lock()
		r.broken = false
		r.mu.Unlock()
		if got, err := r.source.Take(ctx, message(at.Add(time.Second), 7.1)); err != nil || len(got.Readings) != 1 {
			t.Errorf("%+v, %v", got, err)
		}
		if again, err := r.source.Take(ctx, message(at.Add(time.Second), 7.1)); err != nil || len(again.Readings) != 0 || again.Twice != 1 {
			t.Errorf("sent again: %+v, %v", again, err)
		}
		if len(r.sealed) != 2 || r.refused[ingest.SentTwice] != 2 || r.source.Trouble() != "" {
			t.Errorf("%d sealed, %v, %q", len(r.sealed), r.refused, r.source.Trouble())
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// A flood is cut off at the rate and counted; what a person took out of service is not read.
func TestSource_IsNoFasterThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, timed, 10, 20)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.source.Run(ctx) }()
		taken := 0
		for i := range 100 {
			if _, err := r.source.Take(ctx, message(time.Now().Add(time.Duration(i)*time.Millisecond-time.Minute), 7)); err == nil {
				taken++
			} else if !errors.Is(err, intake.ErrTooFast) {
				t.Fatal(err)
			}
		}
		if r.refused[ingest.TooFast]+taken != 100 || taken < 20 {
			t.Errorf("%d taken, %v", taken, r.refused)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// Where messages may not wait, a full queue drops and counts them instead of holding up the connection.
func TestSource_DropsWhatMayNotWait(t *testing.T) {
	r := newRig(t, timed, 1e6, 1e6)
	at, dropped := time.Now(), 0
	for i := range 1100 {
		_, err := r.source.Offer(t.Context(), message(at.Add(-time.Duration(i)*time.Second), 7), false, func(error) {})
		if errors.Is(err, intake.ErrTooFast) {
			dropped++
		}
	}
	if dropped != 100 || r.refused[ingest.TooFast] != 100 {
		t.Errorf("%d dropped, %v", dropped, r.refused)
	}
}

// A mapping that is edited counts within seconds; one with a mistake does not, and says so; what it names is unknown no more.
func TestSource_ReadsItsMappingAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "kind: json\ndevice_field: d\n", 0, 0)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.source.Run(ctx) }()
		take := func() int {
			got, err := r.source.Take(ctx, intake.Message{Body: []byte(`{"d":"a","v":7}`), Received: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			return len(got.Readings)
		}
		write := func(text string) {
			if err := os.WriteFile(r.file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			time.Sleep(6 * time.Second)
		}
		if take() != 0 {
			t.Error("an unknown device was read")
		}
		write("kind: json\ndevice_field: d\ndevices: { a: { sensor: s1, values: { v: { quantity: pH } } } }")
		if take() != 0 || !strings.Contains(r.source.Trouble(), "map.yaml:3") {
			t.Errorf("a mistake: %q", r.source.Trouble())
		}
		write("kind: json\ndevice_field: d\ndevices: { a: { sensor: s1, values: { v: { quantity: ph } } } }\n")
		if take() != 1 || r.source.Trouble() != "" {
			t.Errorf("after it was mended: %q", r.source.Trouble())
		}
		write("kind: senml\n")
		if take() != 1 || !strings.Contains(r.source.Trouble(), "start the server again") {
			t.Errorf("another kind: %q", r.source.Trouble())
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

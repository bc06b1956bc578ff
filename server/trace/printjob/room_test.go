package printjob_test

import (
	"context"
	"errors"
	"testing"

	"aovuon/server/trace/printjob"
)

// A file is made once, tells how far it is, and is had by all who wait for it.
func TestRoom_MakesAFileOnce(t *testing.T) {
	made, go1 := make(chan struct{}), make(chan struct{})
	count := 0
	r := printjob.NewRoom(nil, func(_ context.Context, id string, progress func(done, all int)) ([]byte, error) {
		count++
		progress(3, 10)
		close(made)
		<-go1
		return []byte(id), nil
	})
	if p := r.Progress("a"); p.Ready || p.Err != nil {
		t.Errorf("%+v", p)
	}
	<-made
	if p := r.Progress("a"); p.Done != 3 || p.All != 10 || p.Ready {
		t.Errorf("%+v", p)
	}
	got := make(chan string)
	for range 2 {
		go func() {
			b, err := r.File(context.Background(), "a")
			if err != nil {
				t.Error(err)
			}
			got <- string(b)
		}()
	}
	left, stop := context.WithCancel(t.Context())
	stop()
	if _, err := r.File(left, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("who left: %v", err)
	}
	close(go1)
	for range 2 {
		if b := <-got; b != "a" {
			t.Errorf("got %q", b)
		}
	}
	if p := r.Progress("a"); !p.Ready || count != 1 {
		t.Errorf("%+v, made %d times", p, count)
	}
}

// A file that failed says so, and is made again when it is asked for; few are kept.
func TestRoom_TriesAgainAndKeepsFew(t *testing.T) {
	count := map[string]int{}
	r := printjob.NewRoom(nil, func(_ context.Context, id string, _ func(done, all int)) ([]byte, error) {
		if count[id]++; id == "bad" && count[id] == 1 {
			return nil, errors.New("no paper")
		}
		return []byte(id), nil
	})
	if _, err := r.File(t.Context(), "bad"); err == nil {
		t.Error("a failure is a file")
	}
	if p := r.Progress("bad"); !p.Ready || p.Err == nil || count["bad"] != 1 {
		t.Errorf("%+v", p)
	}
	if b, err := r.File(t.Context(), "bad"); err != nil || string(b) != "bad" {
		t.Errorf("%q %v", b, err)
	}
	for _, id := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "bad", "8"} {
		if _, err := r.File(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if count["bad"] != 3 || count["8"] != 1 {
		t.Errorf("made %v: want the oldest forgotten, the newest kept", count)
	}
}

// When the server ends, nobody waits for ever.
func TestRoom_EndsWithTheServer(t *testing.T) {
	done := make(chan struct{})
	r := printjob.NewRoom(done, func(ctx context.Context, _ string, _ func(done, all int)) ([]byte, error) {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	})
	r.Progress("a")
	r.Progress("waits its turn")
	close(done)
	for _, id := range []string{"a", "waits its turn"} {
		if _, err := r.File(t.Context(), id); err == nil {
			t.Errorf("%s is made", id)
		}
	}
}

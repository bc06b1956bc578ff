// Package app is the gateway program: one YAML file and a command come in; a running gateway, its keys, or an answer
// on standard output goes out. All wiring of the gateway is here and nowhere else.
package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
)

// Main runs the gateway program with the arguments after its name and returns its exit status.
func Main(args []string, stdout, stderr io.Writer) int { return 1 }

// OfflineOptions say how Offline plays a stretch of time.
type OfflineOptions struct {
	ConfigPath string        // the gateway's own configuration file; its key must exist (gateway init)
	Clock      sense.Clock   // virtual: Sleep moves it on
	Buses      kind.Buses    // simulated
	Every      time.Duration // every channel is asked once per step
	Until      time.Time     // the last step is not after this
	Log        *slog.Logger
}

// Offline plays a gateway that has no network: it asks every channel once at each step of the given clock, commits and
// seals into the gateway's own spool with the gateway's own key, and sends nothing. The next `gateway run` sends it all.
func Offline(ctx context.Context, o OfflineOptions) error {
	return errors.New("app: not built yet")
}

package app

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"aovuon/gateway/calibrate"
	"aovuon/gateway/control"
	"aovuon/gateway/sense"
)

// folder is where the gateway's lock and its control socket are.
func (g *gateway) folder() string { return g.dir }

// openDesk lets calibrations begin; the function it returns ends them, and gives probes back what they had.
func (g *gateway) openDesk(ctx context.Context, desk *calibrate.Desk, station *sense.Station) (end func()) {
	desk.Open(ctx, station, g.sealer, g.log)
	return func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		desk.Close(last)
	}
}

// control answers on the control socket until ctx is done. A socket that cannot be opened costs no reading: the gateway
// works without it.
func (g *gateway) control(ctx context.Context, desk *calibrate.Desk) {
	mux := http.NewServeMux()
	calibrate.Mount(mux, desk)
	mux.Handle("/", control.NotFound())
	l, err := control.Listen(ctx, g.folder())
	if err == nil {
		err = l.Serve(ctx, mux)
	}
	if err != nil {
		g.log.Error("nobody can reach the control socket: calibrating needs the gateway stopped", slog.Any("err", err))
	}
}

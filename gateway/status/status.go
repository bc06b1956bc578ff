// Package status is the installer's page on the local network: what every probe says and why, the link, what waits, the
// clock, the buses, the calibrations and the log of the last hour.
//
// A Snapshot, a scan and a calibration desk come in through Options; plain HTML goes out, which needs no script, in Vietnamese
// and in English. What changes something asks for the PIN. README.md says what the page guards against and what not.
package status

import (
	"context"
	"time"

	"aovuon/gateway/calibrate"
	"aovuon/gateway/edge"
	"aovuon/gateway/measure"
	"aovuon/gateway/scan"
)

// Snapshot is how a gateway stands. It also crosses the control socket, as the answer of GET /v1/status.
type Snapshot struct {
	Gateway string    `json:"gateway"`
	Version string    `json:"version"`
	Server  string    `json:"server"`        // URL of the broker
	Time    time.Time `json:"time,omitzero"` // absent while the clock is not set
	Clock   string    `json:"clock"`         // measure.ClockState
	Uptime  int64     `json:"uptime_s"`      // of the machine

	Link       bool   `json:"link"`                    // batches reach the server
	LinkFor    int64  `json:"link_for_s"`              // since the link came or went
	LinkWhy    string `json:"link_why,omitempty"`      // uplink.Cause: why there is none, where that is known
	LinkError  string `json:"link_error,omitempty"`    // English, for the technician: what was tried last and failed
	Receipts   uint64 `json:"receipts"`                // since the start
	ReceiptAge *int64 `json:"receipt_age_s,omitempty"` // of the last one; absent when there was none since the start
	Pending    uint64 `json:"pending"`                 // readings not sealed yet
	Sealed     uint64 `json:"sealed"`                  // batches without a receipt
	Bytes      uint64 `json:"bytes"`                   // of the spool
	Dropped    uint64 `json:"dropped"`                 // readings lost since the start
	Thinned    uint64 `json:"thinned"`                 // readings thinned out since the start to make room
	Health     string `json:"health"`                  // "ok", or what is wrong with the disk

	Channels []Channel `json:"channels"`
}

// Channel is the newest reading of one quantity of one sensor.
type Channel struct {
	Sensor   string           `json:"sensor"`
	Bus      string           `json:"bus,omitempty"`
	Quantity measure.Quantity `json:"quantity"`
	Value    *float64         `json:"value,omitempty"` // absent when there is none
	Unit     string           `json:"unit,omitempty"`
	Quality  string           `json:"quality"`
	Reason   string           `json:"reason,omitempty"` // of a fault
	Why      string           `json:"why,omitempty"`    // English, for people: what the driver or a check said
	Raw      *float64         `json:"raw,omitempty"`    // before filters
	Inputs   string           `json:"inputs,omitempty"` // measure.FormatInputs
	Time     time.Time        `json:"time,omitzero"`
	Age      int64            `json:"age_s"`
	For      int64            `json:"for_s"` // since it has this quality and this reason
}

// Desk leads calibrations; calibrate.Desk is one.
type Desk interface {
	Begin(ctx context.Context, b calibrate.Begin) (calibrate.State, error)
	State(ctx context.Context, sensor string, after int) (calibrate.State, error)
	Answer(ctx context.Context, sensor string, a calibrate.Answer) (calibrate.State, error)
	Finish(ctx context.Context, sensor, note string) (calibrate.State, error)
	Abort(ctx context.Context, sensor string) (calibrate.State, error)
}

// Options are what the page is drawn from. All must be set.
type Options struct {
	Snapshot func(ctx context.Context) Snapshot
	Targets  func() []calibrate.Target
	Desk     Desk
	Scan     func(ctx context.Context) (scan.Report, error) // looks through every bus; takes seconds
	Edge     func() edge.Status                             // the rules at the pond
	Override func(ctx context.Context, aerator string, mode edge.Mode, length time.Duration) error
	Log      *Log
	PIN      string
	Hosts    []string         // names of this machine, beside its addresses
	Now      func() time.Time // with its monotonic part
}

// IsFault reports whether c has no value.
func (c Channel) IsFault() bool { return c.Quality == measure.Fault.String() }

// worst is how bad the worst of channels is, for the colour of a card.
func worst(channels []Channel) (q measure.Quality) {
	for _, c := range channels {
		if x, ok := measure.ParseQuality(c.Quality); ok {
			q = measure.Worse(q, x)
		}
	}
	return q
}

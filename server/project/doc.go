// Package project carries the batch log into what is drawn from it: the time series and the live values. Records of the
// log come in by position; points go out to a history.Store, newest values to a watch.Live.
//
// Each projection follows the log by itself, with its own cursor, moved after the effect: a history that is down delays
// the history, stops nothing else, and loses nothing. Effects are idempotent, so a record may be applied again.
package project

import (
	"context"
	"time"

	"aovuon/server/ingest"
)

// Source is the batch log.
type Source interface {
	// After returns records in order of position, the first that of position+1, fewer than asked for at its own choice,
	// none where there is nothing newer. It stops after the record with which the sum of their sizes is reached.
	After(ctx context.Context, position int64, records, size int) ([]ingest.Record, error)
	// LogEnd returns the position of the newest record.
	LogEnd(ctx context.Context) (int64, error)
}

// Cursors keeps how far each projection has come.
type Cursors interface {
	// Cursor returns 0 for a projection that never saved one.
	Cursor(ctx context.Context, projection string) (int64, error)
	SaveCursor(ctx context.Context, projection string, position int64) error
}

// Anchors keeps what dates the batches of boots that began without a clock.
type Anchors interface {
	// SaveAnchor keeps the anchor of a boot unless it has one, and returns the one it has.
	SaveAnchor(ctx context.Context, a Anchor) (Anchor, error)
	// AnchorOf returns the anchor of a boot; ok is false while there is none.
	AnchorOf(ctx context.Context, gateway, boot string) (a Anchor, ok bool, err error)
	// Park remembers records that nothing dates yet. Parking one again changes nothing.
	Park(ctx context.Context, parked []Parked) error
	// ParkedOf returns up to limit records parked for a boot, in order, after a position.
	ParkedOf(ctx context.Context, gateway, boot string, after int64, limit int) ([]ingest.Record, error)
	// Unpark forgets the records of a boot up to a position.
	Unpark(ctx context.Context, gateway, boot string, upto int64) error
}

// Anchor says what the wall clock showed at one moment of a boot.
type Anchor struct {
	Gateway, Boot string
	Uptime        time.Duration // since boot
	Wall          time.Time     // at that moment
	Position      int64         // of the record that carried it
}

// Parked is one record that waits for the anchor of its boot.
type Parked struct {
	Position      int64
	Gateway, Boot string
	Readings      int64
}

// Mount says that a sensor was at a place from one time until another.
type Mount struct {
	Gateway, Sensor string
	Place           string    // code of the place
	From            time.Time // first moment; zero: always was
	To              time.Time // first moment no more; zero: still is
}

// Mounts is the register of sensors.
type Mounts interface {
	// MountRevision changes whenever Mounts would.
	MountRevision(ctx context.Context) (string, error)
	Mounts(ctx context.Context) ([]Mount, error)
}

// Unplaced is the place of a sensor of which nobody has said where it is.
const Unplaced = "unplaced"

package project

import (
	"context"
	"fmt"
	"time"

	"aovuon/server/history"
)

// GenerationState says what a generation of the history is for.
type GenerationState string

// The states.
const (
	StateDrawing GenerationState = "drawing" // being drawn from the log, beside the one in use
	StateLive    GenerationState = "live"    // read and led on; always exactly one
	StateOld     GenerationState = "old"     // replaced, to be dropped
)

// Generation is one drawing of the whole history. A new one is made beside the one in use, catches up with the log, and replaces it.
type Generation struct {
	Number   int64
	State    GenerationState
	Place    string    // how the engine calls where it lies, where the number does not say it; empty: the number does
	Register string    // revision of the register of sensors when its drawing began
	Began    time.Time // zero: the first
	Changed  time.Time // when the state was reached
}

// Cursor names the cursor of the projection that draws it.
func (g Generation) Cursor() string {
	if g.Number == 0 {
		return HistoryName
	}
	return fmt.Sprintf("%s.%d", HistoryName, g.Number)
}

// HistoryName is the name of the history's projection.
const HistoryName = "history"

// Generations is the register of generations.
type Generations interface {
	// LiveGeneration returns the one in use.
	LiveGeneration(ctx context.Context) (Generation, error)
	// BeginGeneration returns the one that is being drawn, and begins one where none is; register is the revision of the register of sensors.
	BeginGeneration(ctx context.Context, register string, at time.Time) (Generation, error)
	// SwapGeneration makes the one that is being drawn the one in use, and that one old, in one transaction.
	SwapGeneration(ctx context.Context, number int64, at time.Time) error
	// DropGeneration forgets one that is not in use, with its cursor, what is parked for it and what it refused.
	DropGeneration(ctx context.Context, number int64) error
}

// Refused keeps what a history will never take.
type Refused interface {
	SaveRefused(ctx context.Context, refused []history.Rejected, at time.Time) error
}

// RefusedCount is how many points of a gateway a history has refused.
type RefusedCount struct {
	Gateway     string
	Points      int64
	First, Last time.Time // when they were refused
}

// RefusedPoint is one of them.
type RefusedPoint struct {
	history.Point
	Reason string
	At     time.Time
}

package alarm

import (
	"context"
	"errors"
	"time"
)

// Store outlives the program: alarms, and every change of them. What it returns has been made durable before.
type Store interface {
	// LastingAlarms returns the alarms that have not ended, pending ones too, in the order they began, and the maintenance that is not over at
	// a moment.
	LastingAlarms(ctx context.Context, at time.Time) ([]Alarm, []Maintenance, error)
	// KeepAlarmChanges keeps changes in their order, all or none, and gives each its number, also in Change.Alarm.N. The first change of each
	// alarm must have in Alarm.N the number of the newest change of it that the store has (0: a new alarm); else nothing is kept and the
	// error wraps ErrMoved.
	KeepAlarmChanges(ctx context.Context, changes []Change) error
	// KeepMaintenance keeps a maintenance, or the new state of it.
	KeepMaintenance(ctx context.Context, m Maintenance) error
}

// Archive is read by pages and by what tells people.
type Archive interface {
	// AlarmChanges returns changes with numbers after one, in their order, at most limit. A number that was returned is never preceded by one
	// that comes later: whoever follows them needs to keep the last number alone.
	AlarmChanges(ctx context.Context, after int64, limit int) ([]Change, error)
	// Alarm returns one alarm and all its changes, the first first. The error wraps ErrNone.
	Alarm(ctx context.Context, id string) (Alarm, []Change, error)
	// AlarmHistory returns the alarms that people were or are told of and that lasted at any time from from to to, the newest first.
	AlarmHistory(ctx context.Context, q Query) ([]Alarm, error)
	// Maintenances returns the maintenances that lasted at any time from from to to, the newest first.
	Maintenances(ctx context.Context, from, to time.Time) ([]Maintenance, error)
}

// Query asks for alarms.
type Query struct {
	Place    string // code; "": of all places and of the server itself
	Topic    string // "": all
	From, To time.Time
	Limit    int // at most so many; 0: 1,000
}

var (
	// ErrNone is an alarm or a maintenance that is not there.
	ErrNone = errors.New("alarm: there is none of that id")
	// ErrMoved says that an alarm changed since it was read. Nothing was kept.
	ErrMoved = errors.New("alarm: it changed meanwhile")
)

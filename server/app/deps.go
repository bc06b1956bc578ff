package app

import (
	"context"
	"log/slog"
	"time"

	"aovuon/server/account"
	"aovuon/server/backup"
	"aovuon/server/desired"
	"aovuon/server/diary/desk"
	"aovuon/server/history"
	"aovuon/server/pki"
	"aovuon/server/sqldb"
	"aovuon/server/trace/flow"
	"aovuon/server/trace/scan"
	"aovuon/server/watch"
	"aovuon/server/web"
)

// deps is what the pages are made from.
type deps struct {
	db        *sqldb.DB
	accounts  *account.Service
	desk      *desk.Desk
	goods     *flow.Desk
	scans     *scan.Service  // nil: nobody counts
	authority *pki.Authority // the server's own; nil: not used
	history   history.Store
	live      *watch.Live
	config    Config
	logKey    web.LogKey
	system    func(ctx context.Context) (System, error)
	log       *slog.Logger
	now       func() time.Time
	stuck     func() time.Time
	done      <-chan struct{} // closed when the server is asked to stop
}

// System is what the system page shows of the server itself.
type System struct {
	Started     time.Time
	Version     string
	LogEnd      int64 // position of the newest batch in the log
	Projections []ProjectionState
	Gateways    []GatewayState
	Refusals    []Refusals
	Samples     []Sample
	Broker      BrokerState
	Backup      *backup.State // nil: none are made by themselves
}

// ProjectionState says how far a projection has come.
type ProjectionState struct {
	Name     string
	Position int64  // of the last batch whose effect is durable
	Behind   int64  // batches in the log after it
	Err      string // why it is waiting, empty when it is not
	Undated  int64  // readings kept aside because nothing says when they were taken
}

// GatewayState is one enrolled gateway.
type GatewayState struct {
	ID        string
	State     string    // online, offline, or empty while it never said
	StateTime time.Time // when it said so
	Seen      time.Time // when the last good batch or status came; zero: never
	Enrolled  time.Time
	Retired   time.Time // zero: in service
	Epoch     string
	Seq       uint64 // of its newest batch
	Clock     string // what its clock was worth then: a measure.ClockState; empty before the first batch after a start
	Refused   int64  // messages of its topics in the quarantine's counters
	Wanted    uint64 // version of what is wanted of its settings; 0: nothing ever was
	Report    desired.Report
}

// Refusals counts refused messages of one gateway and reason since the database was made.
type Refusals struct {
	Gateway, Reason string
	Count           int64
	First, Last     time.Time
}

// Sample is one refused message, cut short.
type Sample struct {
	Gateway, Reason, Detail string
	Received                time.Time
	Size                    int64 // of the whole message, bytes
	Bytes                   []byte
}

// BrokerState is what the broker reports of itself.
type BrokerState struct {
	Kind      string // embedded or outside
	Address   string
	Connected bool // outside: to the broker; embedded: always
	Clients   int  // embedded: open MQTT connections
}

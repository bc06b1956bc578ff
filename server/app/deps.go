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
	"aovuon/server/history/keeper"
	"aovuon/server/ingest"
	"aovuon/server/pki"
	"aovuon/server/project"
	"aovuon/server/sqldb"
	"aovuon/server/trace/flow"
	"aovuon/server/trace/scan"
	"aovuon/server/watch"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/blight"
	"aovuon/server/watch/dawn"
	"aovuon/server/watch/drying"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
	"aovuon/server/watch/soil"
	"aovuon/server/web"
)

// deps is what the pages are made from.
type deps struct {
	db        *sqldb.DB
	accounts  *account.Service
	desk      *desk.Desk
	goods     *flow.Desk
	blight    *blight.Watch
	scans     *scan.Service  // nil: nobody counts
	authority *pki.Authority // the server's own; nil: not used
	history   history.Store
	live      *watch.Live
	board     *rule.Board
	alarms    *alarm.Desk
	dawn      *dawn.Rule       // nil: nobody foretells
	looked    func() time.Time // when alarms were last judged
	told      *notify.Desk
	pushKey   string        // what browsers ask for alarms with; empty: they cannot
	soil      *soil.Service // nil: nobody looks at the soil
	drying    *drying.Rule  // nil: nobody watches what dries
	config    Config
	logKey    web.LogKey
	system    func(ctx context.Context) (System, error)
	log       *slog.Logger
	now       func() time.Time
	stuck     func() time.Time
	backups   web.Backups     // settles where they go; nil: no page does
	phone     web.Phone       // of the co-op
	watched   web.Watched     // told of every answer; nil: nobody counts
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
	Backup      *backup.State          // nil: none are made by themselves
	Rollups     *keeper.State          // nil: no process that speaks keeps them
	Processes   []ProcessState         // of this database, the oldest first; none: SQLite has one
	Unkept      []project.RefusedCount // readings that the history will never take, by gateway
	UnkeptLast  []project.RefusedPoint // the newest of them
}

// ProcessState is one process of this server.
type ProcessState struct {
	Name          string // machine and address
	Roles, Leads  []string
	Started, Seen time.Time // by its own clock
	Silent        bool      // it says nothing any more
	Own           bool      // it is the one that answers
	Trouble       string    // why it cannot record
	Version       string
}

// ProjectionState says how far a projection has come.
type ProjectionState struct {
	Name     string `json:"name"`
	Position int64  `json:"position"` // of the last batch whose effect is durable
	Behind   int64  `json:"-"`        // batches in the log after it
	Err      string `json:"err"`      // why it is waiting, empty when it is not
	Undated  int64  `json:"-"`        // readings kept aside because nothing says when they were taken
}

// GatewayState is one enrolled gateway.
type GatewayState struct {
	ID        string
	State     string    // online, offline, or empty while it never said
	StateTime time.Time // when it said so
	Seen      time.Time // when the last good batch or status came; zero: never
	Enrolled  time.Time
	Retired   time.Time // zero: in service
	Kind      ingest.Kind
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
	Kind      string `json:"kind"` // embedded or outside
	Address   string `json:"address"`
	Connected bool   `json:"connected"` // outside: to the broker; embedded: always
	Clients   int    `json:"clients"`   // embedded: open MQTT connections
}

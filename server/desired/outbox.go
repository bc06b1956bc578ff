package desired

import (
	"context"
	"log/slog"
	"time"

	"aovuon/gateway/wire"
)

// Store is where wanted settings lie.
type Store interface {
	// WantedRevision changes whenever something new is wanted.
	WantedRevision(ctx context.Context) (string, error)
	// Unanswered returns the newest version of every gateway that has not answered it.
	Unanswered(ctx context.Context) ([]Wanted, error)
}

// Outbox sends what is wanted to the gateways until they answer: as soon as it is asked for, when one comes online, and
// again every minute. The message may get lost on the way, so it is never counted as sent.
type Outbox struct {
	store  Store
	send   func(gateway, leaf string, payload []byte) error
	log    *slog.Logger
	online chan string
}

const (
	look  = time.Second // between two looks at the revision
	again = time.Minute // between two sendings
)

// NewOutbox returns an Outbox that sends with send (ingest.Broker.Send).
func NewOutbox(store Store, send func(gateway, leaf string, payload []byte) error, log *slog.Logger) *Outbox {
	return &Outbox{store: store, send: send, log: log, online: make(chan string, 1024)}
}

// Online says that a gateway is there. It never blocks: one that is not noticed now is served within a minute.
func (o *Outbox) Online(gateway string) {
	select {
	case o.online <- gateway:
	default:
	}
}

// Run sends until ctx ends. A database or broker that fails is tried again.
func (o *Outbox) Run(ctx context.Context) error {
	looking, sending := time.NewTicker(look), time.NewTicker(again)
	defer looking.Stop()
	defer sending.Stop()
	var revision string
	for {
		only := ""
		select {
		case <-ctx.Done():
			return nil
		case only = <-o.online:
		case <-sending.C:
		case <-looking.C:
			now, err := o.store.WantedRevision(ctx)
			if err != nil || now == revision {
				continue // a database that fails says so elsewhere
			}
			revision = now
		}
		o.sendAll(ctx, only)
	}
}

// sendAll sends everything unanswered, of one gateway or of all ("").
func (o *Outbox) sendAll(ctx context.Context, only string) {
	list, err := o.store.Unanswered(ctx)
	if err != nil {
		if ctx.Err() == nil {
			o.log.Warn("desired settings cannot be read", slog.Any("err", err))
		}
		return
	}
	for _, w := range list {
		if only != "" && w.Gateway != only {
			continue
		}
		if err := o.send(w.Gateway, wire.LeafDesired, w.Note); err != nil {
			o.log.Debug("desired settings not sent", slog.String("gateway", w.Gateway), slog.Any("err", err))
		}
	}
}

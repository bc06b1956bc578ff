package broker

import (
	"log/slog"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// sweep cuts off who is let in and says nothing: keep-alive 0 would let him hold his place for ever. It also ends the connection of a
// gateway that was retired in the moment it was let in.
func (e *Embedded) sweep(silence time.Duration, most int) {
	tick := time.NewTicker(min(max(silence/4, 50*time.Millisecond), 10*time.Second))
	defer tick.Stop()
	for {
		select {
		case <-e.gate.closing:
			return
		case <-tick.C:
		}
		z, err := e.nats.Connz(&server.ConnzOptions{Limit: most + 1})
		if err != nil {
			continue // it is ending
		}
		for _, c := range z.Conns {
			if c.MQTTClient == "" {
				continue // ingest's own, or one whose time to name himself runs
			}
			switch _, known := e.gate.secret(c.MQTTClient); {
			case !known:
				e.cut(c, "not in service")
			case z.Now.Sub(c.LastActivity) > silence:
				e.report(Violation{Gateway: c.MQTTClient, Kind: Silent, Detail: "said nothing for " + c.Idle})
				e.cut(c, "silent")
			}
		}
	}
}

func (e *Embedded) cut(c *server.ConnInfo, why string) {
	e.log.Debug("connection cut", slog.String("gateway", c.MQTTClient), slog.String("why", why))
	if err := e.nats.DisconnectClientByID(c.Cid); err != nil {
		e.log.Debug("client was gone already", slog.String("gateway", c.MQTTClient), slog.Any("err", err))
	}
}

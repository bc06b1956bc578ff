package app

import (
	"log/slog"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"aovuon/server/broker"
	"aovuon/server/ingest"
	"aovuon/server/pki"
)

// brokerPart is the configured broker with what differs between the two.
type brokerPart struct {
	ingest.Broker
	state      func() BrokerState
	disconnect func(gateway string)
	close      func() error
}

// openBroker starts or prepares the broker. Nobody is let in before ingest listens.
func openBroker(c Config, a *pki.Authority, now func() time.Time, secrets broker.Secrets, violation func(broker.Violation), log *slog.Logger) (*brokerPart, error) {
	if o := c.Broker.Outside; o != nil {
		out, err := broker.NewOutside(broker.OutsideOptions{
			URL: o.URL, Username: o.Username, PasswordFile: o.PasswordFile, CAFile: o.CAFile, Group: o.Group, Log: log,
		})
		if err != nil {
			return nil, err
		}
		return &brokerPart{
			Broker: out, disconnect: func(string) {}, close: func() error { return nil },
			state: func() BrokerState { return BrokerState{Kind: "outside", Address: o.URL, Connected: out.Connected()} },
		}, nil
	}
	e := c.Broker.Embedded
	opts := broker.EmbeddedOptions{
		Listen: e.Listen, StoreDir: filepath.Join(c.DataDir, "broker"), Secrets: secrets, Log: log, Violation: violation,
		MaxConnections: e.MaxConnections, AuthTimeout: e.AuthTimeout, Silence: e.Silence,
	}
	var err error
	if opts.TLS, err = brokerTLS(c, a, now); err != nil {
		return nil, err
	}
	if e.ClientCertificates != "" {
		opts.ClientCertificates, opts.RequireCertificate = a.Pool(), e.ClientCertificates == "required"
	}
	b, err := broker.StartEmbedded(opts)
	if err != nil {
		return nil, err
	}
	return &brokerPart{
		Broker: b, disconnect: b.Disconnect, close: b.Close,
		state: func() BrokerState {
			return BrokerState{Kind: "embedded", Address: b.Address(), Connected: true, Clients: b.Clients()}
		},
	}, nil
}

// violations counts what the broker refused, and quarantines what a gateway can be held to.
func violations(reg prometheus.Registerer, notes *ingest.Notebook, now func() time.Time) (func(broker.Violation), error) {
	count := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "aovuon_broker_violations_total", Help: "What the embedded broker refused, by kind.",
	}, []string{"kind"})
	if err := reg.Register(count); err != nil {
		return nil, err
	}
	for _, k := range []broker.ViolationKind{
		broker.ForeignPublish, broker.ForeignSubscribe, broker.TooLarge, broker.Credentials, broker.Protocol, broker.Overflow, broker.Silent, broker.Storage,
	} {
		count.WithLabelValues(string(k)) // so that the first of a kind is seen as one more
	}
	return func(v broker.Violation) {
		count.WithLabelValues(string(v.Kind)).Inc()
		if v.Gateway == "" {
			return
		}
		r := ingest.Refusal{Gateway: v.Gateway, Detail: "refused by the broker: " + v.Detail, Received: now()}
		switch v.Kind {
		case broker.ForeignPublish, broker.ForeignSubscribe:
			r.Reason = ingest.Foreign
		case broker.TooLarge:
			r.Reason = ingest.TooLarge
		case broker.Protocol:
			r.Reason = ingest.Malformed
		case broker.Credentials, broker.Overflow, broker.Silent, broker.Storage:
			return
		}
		notes.Refuse(r)
	}, nil
}

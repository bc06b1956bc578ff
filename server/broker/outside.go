package broker

import (
	"context"
	"errors"
	"fmt"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"aovuon/gateway/wire"
)

// Outside is a client of a broker that runs elsewhere. It takes the broker's word for who published on a topic, as the
// broker's own access list must bind each gateway to its topics, and acknowledges a message when ingest is done with it.
type Outside struct{ connection }

// NewOutside checks the options. It does not connect: Receive does. Messages are shared with the servers of the same group.
func NewOutside(o OutsideOptions) (*Outside, error) {
	id, err := randomID("aovuon-" + o.Group + "-")
	if err != nil {
		return nil, err
	}
	o.waits()
	s := &Outside{connection{o: o, id: id, whose: "gateways"}}
	for _, leaf := range []string{wire.LeafBatch, wire.LeafStatus} {
		s.filters = append(s.filters, "$share/"+o.Group+"/"+wire.Topic("+", leaf))
	}
	if _, err := s.clientOptions(); err != nil {
		return nil, err
	}
	return s, nil
}

// Receive implements ingest.Broker. It connects, and connects again for as long as ctx lasts.
func (s *Outside) Receive(ctx context.Context, f func(gateway, leaf string, payload []byte, done func())) error {
	s.receive(ctx, func(m mqtt.Message, done func()) {
		gateway, leaf, ok := wire.ParseTopic(m.Topic())
		if !ok {
			done()
			return
		}
		f(gateway, leaf, m.Payload(), done)
	})
	return nil
}

// errNoConnection says that there is nobody to send to.
var errNoConnection = errors.New("no connection to the broker")

// Send implements ingest.Broker.
func (s *Outside) Send(gateway, leaf string, payload []byte) error {
	client := s.client.Load()
	if client == nil {
		return fmt.Errorf("broker: send to %s: %w", gateway, errNoConnection)
	}
	t := (*client).Publish(wire.Topic(gateway, leaf), 0, false, payload)
	select {
	case <-t.Done():
	default: // it is on its way; nobody waits for what may get lost
		return nil
	}
	if err := t.Error(); err != nil {
		return fmt.Errorf("broker: send to %s: %w", gateway, err)
	}
	return nil
}

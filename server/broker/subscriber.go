package broker

import (
	"context"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// SubscriberOptions are what a Subscriber is made of.
type SubscriberOptions struct {
	Broker  OutsideOptions // where it is; Group is not used
	Filters []string       // of topics, at QoS 1
	// Keep is the client id of a session that the broker keeps while nobody is connected, so that what comes meanwhile waits there. Empty: a session of
	// its own, and what comes meanwhile is nobody's.
	Keep string
}

// Subscriber reads topics that are no gateway's, of devices that cannot sign. It acknowledges a message when it was dealt with.
type Subscriber struct{ connection }

// NewSubscriber checks the options. It does not connect: Receive does.
func NewSubscriber(o SubscriberOptions) (*Subscriber, error) {
	o.Broker.waits()
	s := &Subscriber{connection{o: o.Broker, id: o.Keep, kept: o.Keep != "", filters: o.Filters, whose: "devices"}}
	if !s.kept {
		var err error
		if s.id, err = randomID("aovuon-in-"); err != nil {
			return nil, err
		}
	}
	_, err := s.clientOptions()
	return s, err
}

// Receive calls f for every message until ctx ends, one at a time. It connects, and connects again for as long as ctx lasts. What the broker had kept
// for whoever comes late (retained) is of an unknown age, and left out. done may be called from any goroutine, once.
func (s *Subscriber) Receive(ctx context.Context, f func(topic string, payload []byte, done func())) error {
	s.receive(ctx, func(m mqtt.Message, done func()) {
		if m.Retained() {
			done()
			return
		}
		f(m.Topic(), m.Payload(), done)
	})
	return nil
}

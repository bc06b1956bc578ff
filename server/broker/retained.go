package broker

import (
	"context"
	"fmt"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Will is what the broker says when a connection is lost.
type Will struct{ Topic, Text string }

// Retain publishes retained messages to a broker: work is run on each connection and is given how to. When work ends or the connection does, it begins
// again, until ctx ends; then work has a moment to say goodbye.
func Retain(ctx context.Context, o OutsideOptions, will Will, work func(ctx context.Context, publish func(topic string, payload []byte) error) error) error {
	o.waits()
	again(ctx, o, "readers", func(ctx context.Context) (bool, error) { return retainOnce(ctx, o, will, work) })
	return nil
}

func retainOnce(ctx context.Context, o OutsideOptions, will Will, work func(context.Context, func(string, []byte) error) error) (stood bool, err error) {
	id, err := randomID("aovuon-out-")
	if err != nil {
		return false, err
	}
	base := connection{o: o, id: id}
	c, err := base.clientOptions()
	if err != nil {
		return false, err
	}
	c.SetWill(will.Topic, will.Text, 1, true)
	lost, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c.SetConnectionLostHandler(func(_ mqtt.Client, err error) { cancel(err) })
	client := mqtt.NewClient(c)
	if err := await(ctx, client.Connect()); err != nil {
		return false, fmt.Errorf("connect: %w", err)
	}
	defer client.Disconnect(goodbye)
	err = work(lost, func(topic string, payload []byte) error {
		// Not of ctx: the last message is said when it has ended.
		if err := await(context.WithoutCancel(ctx), client.Publish(topic, 1, true, payload)); err != nil {
			return fmt.Errorf("broker: publish %s: %w", topic, err)
		}
		return nil
	})
	if err == nil {
		err = context.Cause(lost)
	}
	return true, err
}

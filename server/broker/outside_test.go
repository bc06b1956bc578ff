package broker_test

import (
	"log/slog"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func lostTo(c chan<- error) mqtt.ConnectionLostHandler {
	return func(_ mqtt.Client, err error) { c <- err }
}

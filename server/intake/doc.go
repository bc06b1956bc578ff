// Package intake takes in what devices say that cannot sign: LoRaWAN nodes behind ChirpStack, ESPHome, Tasmota, Zigbee2MQTT, Home Assistant,
// and whatever speaks SenML or JSON. Messages of MQTT and HTTP come in; readings go out to a Sealer, which puts them into the batch log under the
// name of the intake, and that name is of a kind that everything shows as unsigned.
//
// Nothing is guessed: a mapping says which value of which device is which quantity, in which unit. What it does not name is counted and shown, so
// that somebody can name it. README.md has a sample for each kind.
package intake

import (
	"errors"
	"time"
)

// Kind says how messages of an intake are to be read.
type Kind string

// The kinds.
const (
	SenML         Kind = "senml"         // RFC 8428, JSON
	ChirpStack    Kind = "chirpstack"    // v4 uplink events, JSON
	ESPHome       Kind = "esphome"       // state topics
	HomeAssistant Kind = "homeassistant" // mqtt_statestream
	Zigbee2MQTT   Kind = "zigbee2mqtt"
	Tasmota       Kind = "tasmota" // tele/SENSOR
	JSON          Kind = "json"    // any object: the mapping says where device and time stand
)

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{SenML, ChirpStack, ESPHome, HomeAssistant, Zigbee2MQTT, Tasmota, JSON}
}

// Message is one message as it came.
type Message struct {
	Topic    string // below the intake's own, without a slash in front; empty over HTTP
	Event    string // what the sender calls the event, over HTTP; empty elsewhere
	Body     []byte
	Received time.Time
}

// Value is one number of a message, as the device says it.
type Value struct {
	Device string
	Name   string // of the value within the device
	Number float64
	Text   string    // what stands where a number should; empty: Number holds
	Unit   string    // as the message says; empty: it does not
	Time   time.Time // zero: the message does not say
}

// Bounds of one message.
const (
	MaxMessage = 64 << 10 // bytes
	maxValues  = 500
	maxDepth   = 8
)

// ErrNothing says that a message is none of the kind that carries measurements: a join, an availability. It is no fault.
var ErrNothing = errors.New("carries no measurement")

// ErrNoValue says that the device itself has no value at the moment. Absent is absent: nothing is kept of it.
var ErrNoValue = errors.New("the device has no value")

// ErrMessage wraps every error of a message that is not of the form its kind asks for.
var ErrMessage = errors.New("not of the form of its kind")

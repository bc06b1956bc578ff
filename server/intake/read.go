package intake

import (
	"errors"
	"fmt"
	"time"

	"aovuon/gateway/measure"
)

// Why says why something of a message was not taken.
type Why string

// The reasons. What is unknown waits for somebody to name it; the others are refused.
const (
	UnknownDevice Why = "unknown-device" // the mapping does not name it
	UnknownValue  Why = "unknown-value"  // nor a value of a device that it does name
	Malformed     Why = "malformed"      // not of the form of its kind
	NoValue       Why = "no-value"       // the device itself has none: nan, unavailable
	BadNumber     Why = "bad-number"     // not finite, or of a unit that is none of the quantity
	BadTime       Why = "bad-time"       // in the future, or too old
)

// Refused is something that was not taken.
type Refused struct {
	Why           Why
	Device, Value string
	Detail        string
}

// Taken is what a message becomes.
type Taken struct {
	Readings []measure.Reading
	Refused  []Refused
	Ignored  int  // values of no interest
	Nothing  bool // it is none of those that carry measurements
	Timed    bool // the message itself says when
	Twice    int  // readings that came before, which are durable once this message is
}

// aheadBy is how far a device's clock may be ahead.
const aheadBy = 2 * time.Minute

// Read says what a message becomes. It keeps nothing.
func (c *Mapping) Read(m Message) Taken {
	values, err := c.decode(m)
	switch {
	case errors.Is(err, ErrNothing):
		return Taken{Nothing: true}
	case errors.Is(err, ErrNoValue):
		return Taken{Refused: []Refused{{Why: NoValue, Detail: err.Error()}}}
	case err != nil:
		return Taken{Refused: []Refused{{Why: Malformed, Detail: err.Error()}}}
	}
	var out Taken
	unknown := map[string]int{} // device → where in out.Refused
	for _, v := range values {
		if _, used := c.use(v.Device, v.Name); v.Text != "" && !used { // a text that nobody takes for a measurement
			continue
		}
		if _, known := c.Devices[v.Device]; !known { // one line for all of its values
			i, seen := unknown[v.Device]
			if !seen {
				i = len(out.Refused)
				unknown[v.Device] = i
				out.Refused = append(out.Refused, Refused{Why: UnknownDevice, Device: v.Device})
			}
			if out.Refused[i].Detail != "" {
				out.Refused[i].Detail += ", "
			}
			out.Refused[i].Detail += said(v)
			continue
		}
		if c.ignored(v.Device, v.Name) {
			out.Ignored++
			continue
		}
		if r, why, detail := c.reading(v, m.Received); why != "" {
			out.Refused = append(out.Refused, Refused{why, v.Device, v.Name, detail})
		} else {
			out.Readings = append(out.Readings, r)
			out.Timed = out.Timed || !v.Time.IsZero() && !c.ReceivedTime
		}
	}
	out.Nothing = len(out.Readings)+len(out.Refused)+out.Ignored == 0
	return out
}

func said(v Value) string {
	out := fmt.Sprintf("%s=%v", v.Name, v.Number)
	if v.Unit != "" {
		out += " " + v.Unit
	}
	return out
}

func (c *Mapping) decode(m Message) ([]Value, error) {
	if len(m.Body) > MaxMessage {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrMessage, len(m.Body), MaxMessage)
	}
	switch c.Kind {
	case SenML:
		return readSenML(m)
	case ChirpStack:
		return readChirpStack(m, c)
	case ESPHome:
		return readESPHome(m)
	case HomeAssistant:
		return readHomeAssistant(m)
	case Zigbee2MQTT:
		return readZigbee2MQTT(m, c)
	case Tasmota:
		return readTasmota(m, c)
	case JSON:
		return readJSON(m, c)
	}
	return nil, errKind
}

// reading is one value as the mapping has it, or why it is none.
func (c *Mapping) reading(v Value, received time.Time) (r measure.Reading, why Why, detail string) {
	u, ok := c.use(v.Device, v.Name)
	switch {
	case !ok:
		return r, UnknownValue, said(v)
	case v.Text != "":
		return r, BadNumber, v.Text + " is no number"
	}
	at := v.Time
	if at.IsZero() || c.ReceivedTime {
		at = received
	}
	at = at.UTC().Truncate(time.Millisecond)
	switch {
	case at.After(received.Add(aheadBy)):
		return r, BadTime, fmt.Sprintf("%s is in the future: the clock of the device, or zone in the mapping, is wrong", at.Format(time.RFC3339))
	case received.Sub(at) > c.MaxAge:
		return r, BadTime, fmt.Sprintf("%s is older than %s (max_age): the clock of the device is not set (received_time: true does without it), or it sent what it kept", at.Format(time.RFC3339), c.MaxAge)
	}
	r, err := u.Reading(v.Number, v.Unit, at)
	if err != nil {
		return r, BadNumber, err.Error()
	}
	return r, "", ""
}

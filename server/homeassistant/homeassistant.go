// Package homeassistant tells Home Assistant what is measured, by its MQTT discovery. The farm and the newest values come in; retained messages go
// out: a description of each series once, its newest value whenever there is one. README.md says what is said of each.
package homeassistant

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/watch"
)

// Message is one retained message; an empty payload takes away what was retained.
type Message struct {
	Topic   string
	Payload []byte
}

// Stale is the age from which a value is not the newest any more, and nothing is said instead of it.
const Stale = 15 * time.Minute

// StatusTopic says whether this server is there: online or offline.
const StatusTopic = "aovuon/ha/status"

// What StatusTopic says.
const (
	Online  = "online"
	Offline = "offline"
)

// Words are what people read in Home Assistant.
type Words struct {
	Quantity map[measure.Quantity]string
	Unsigned string // behind the name of what no device signed
	Lang     string // of the names of places
}

// Options are what descriptions are made with.
type Options struct {
	Prefix  string // of Home Assistant's discovery topics
	Words   Words
	URL     string // of the pages
	Version string // of the program
}

// thing is how Home Assistant knows a quantity.
type thing struct {
	binary bool
	class  string // device class; empty where Home Assistant has none that fits quantity and unit
}

// thingOf returns how a quantity is described. Classes and the units that they allow are Home Assistant's (developers.home-assistant.io, sensor and
// binary sensor entities).
func thingOf(q measure.Quantity) thing {
	switch q { //nolint:exhaustive // the others have no class
	case measure.WaterTemperature, measure.SoilTemperature, measure.AirTemperature, measure.DewPoint, measure.CPUTemperature:
		return thing{class: "temperature"}
	case measure.PH, measure.SoilPH:
		return thing{class: "ph"}
	case measure.ORP, measure.Voltage:
		return thing{class: "voltage"}
	case measure.Conductivity, measure.SoilConductivity:
		return thing{class: "conductivity"}
	case measure.SoilMoisture:
		return thing{class: "moisture"}
	case measure.RelativeHumidity:
		return thing{class: "humidity"}
	case measure.AirPressure:
		return thing{class: "atmospheric_pressure"}
	case measure.VapourDeficit:
		return thing{class: "pressure"}
	case measure.WaterLevel, measure.SurfaceDistance:
		return thing{class: "distance"}
	case measure.Current:
		return thing{class: "current"}
	case measure.ClockOffset:
		return thing{class: "duration"}
	case measure.DiskFree, measure.MemoryResident:
		return thing{class: "data_size"}
	case measure.AeratorRunning:
		return thing{binary: true, class: "running"}
	case measure.AeratorCommand:
		return thing{binary: true}
	case measure.AlarmState, measure.UnderVoltage:
		return thing{binary: true, class: "problem"}
	case measure.LinkUp:
		return thing{binary: true, class: "connectivity"}
	}
	return thing{}
}

// device is what Home Assistant groups entities by: a place, or a gateway itself.
type device struct {
	Identifiers  []string `json:"identifiers"`
	Name         string   `json:"name"`
	Manufacturer string   `json:"manufacturer"`
	Model        string   `json:"model,omitempty"`
	URL          string   `json:"configuration_url,omitempty"`
}

type availability struct {
	Topic string `json:"topic"`
}

type origin struct {
	Name    string `json:"name"`
	Version string `json:"sw_version,omitempty"`
	URL     string `json:"support_url,omitempty"`
}

// described is the payload of a discovery message.
type described struct {
	Name         string         `json:"name"`
	ID           string         `json:"unique_id"`
	State        string         `json:"state_topic"`
	Template     string         `json:"value_template"`
	Attributes   string         `json:"json_attributes_topic"`
	Availability []availability `json:"availability"`
	Expire       int            `json:"expire_after"`
	Class        string         `json:"device_class,omitempty"`
	StateClass   string         `json:"state_class,omitempty"`
	Unit         string         `json:"unit_of_measurement,omitempty"`
	Precision    *int           `json:"suggested_display_precision,omitempty"`
	Category     string         `json:"entity_category,omitempty"`
	Device       device         `json:"device"`
	Origin       origin         `json:"origin"`
}

// name is what a series is called in topics and ids: ids of gateways and sensors have no underscore.
func name(s history.Series) string {
	return strings.Join([]string{s.Place, s.Gateway, s.Sensor, string(s.Quantity)}, "_")
}

func stateTopic(s history.Series) string { return "aovuon/ha/state/" + name(s) }

func (o Options) configTopic(s history.Series) string {
	component := "sensor"
	if thingOf(s.Quantity).binary {
		component = "binary_sensor"
	}
	return o.Prefix + "/" + component + "/aovuon/" + name(s) + "/config"
}

// Describe returns the discovery message of a series.
func (o Options) Describe(f *farm.Farm, s history.Series) (Message, error) {
	info, _ := s.Quantity.Info()
	kind := thingOf(s.Quantity)
	d := described{
		Name: o.Words.Quantity[s.Quantity] + " " + s.Sensor, ID: "aovuon_" + name(s), State: stateTopic(s), Attributes: stateTopic(s),
		Availability: []availability{{StatusTopic}}, Expire: int(Stale.Seconds()), Class: kind.class, Template: "{{ value_json.value }}",
		Origin: origin{"AoVườn", o.Version, o.URL},
	}
	if !f.Signs(s.Gateway) {
		d.Name += " (" + o.Words.Unsigned + ")"
	}
	if kind.binary {
		d.Template = "{{ 'ON' if value_json.value == 1 else 'OFF' if value_json.value == 0 else 'None' }}"
	} else {
		d.StateClass, d.Unit, d.Precision = "measurement", info.Unit, &info.Decimals
	}
	place, known := f.Place(s.Place)
	switch {
	case s.Quantity.OfGateway():
		d.Category = "diagnostic"
		d.Device = device{Identifiers: []string{"aovuon_gateway_" + s.Gateway}, Name: s.Gateway, Manufacturer: "AoVườn", Model: "gateway"}
	case known:
		d.Device = device{Identifiers: []string{"aovuon_place_" + s.Place}, Name: place.Title.In(o.Words.Lang), Manufacturer: "AoVườn", Model: string(place.Kind)}
		if o.URL != "" {
			d.Device.URL = o.URL + "/places/" + s.Place
		}
	default:
		d.Device = device{Identifiers: []string{"aovuon_place_" + s.Place}, Name: s.Place, Manufacturer: "AoVườn"}
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return Message{}, fmt.Errorf("homeassistant: %w", err)
	}
	return Message{o.configTopic(s), raw}, nil
}

// state is the payload of a state message: what is not measured now has no value.
type state struct {
	Value   *float64 `json:"value"`
	Time    string   `json:"time"`
	Quality string   `json:"quality"`
	Reason  string   `json:"reason,omitempty"`
	Stale   bool     `json:"stale,omitempty"`
	Signed  bool     `json:"signed"`
	Place   string   `json:"place"`
	Gateway string   `json:"gateway"`
	Sensor  string   `json:"sensor"`
}

// State returns the newest value of a series as it is at a time. A fault, a value out of range, one that is stale and one of a clock that is wrong say
// that there is none.
func State(f *farm.Farm, v watch.Value, now time.Time) (Message, error) {
	s := state{
		Time: v.Time.UTC().Format(time.RFC3339), Quality: v.Quality.String(), Reason: string(v.Reason), Signed: f.Signs(v.Gateway),
		Place: v.Place, Gateway: v.Gateway, Sensor: v.Sensor, Stale: IsStale(v, now),
	}
	if v.Quality != measure.Fault && v.Quality != measure.OutOfRange && !s.Stale {
		s.Value = &v.Value
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return Message{}, fmt.Errorf("homeassistant: %w", err)
	}
	return Message{stateTopic(v.Series), raw}, nil
}

// IsStale reports whether a value is too old to be called the newest, or of an unknown age.
func IsStale(v watch.Value, now time.Time) bool { return v.Ahead || now.Sub(v.Time) >= Stale }

// Topics are what belongs to a series, to be taken away with it.
func (o Options) Topics(s history.Series) []string { return []string{o.configTopic(s), stateTopic(s)} }

package intake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// readESPHome reads the state of an entity: <node>/<component>/<object>/state with a number or ON and OFF. A node prefix may have slashes.
func readESPHome(m Message) ([]Value, error) {
	parts := strings.Split(m.Topic, "/")
	n := len(parts)
	if n < 4 || parts[n-1] != "state" || (parts[n-3] != "sensor" && parts[n-3] != "binary_sensor") {
		return nil, ErrNothing // status, debug, what is commanded
	}
	return state(strings.Join(parts[:n-3], "/"), parts[n-2], m)
}

// readHomeAssistant reads what mqtt_statestream publishes: <domain>/<object>/state, with the state as text. The device is the entity: sensor.ao1_temp.
func readHomeAssistant(m Message) ([]Value, error) {
	parts := strings.Split(m.Topic, "/")
	if n := len(parts); n >= 3 {
		parts = parts[n-3:]
	}
	if len(parts) != 3 || parts[2] != "state" || (parts[0] != "sensor" && parts[0] != "binary_sensor") {
		return nil, ErrNothing // attributes, times, lights
	}
	return state(parts[0]+"."+parts[1], "state", m)
}

// state is one value that stands by itself.
func state(device, name string, m Message) ([]Value, error) {
	said := strings.TrimSpace(string(m.Body))
	switch strings.ToLower(strings.Trim(said, `"`)) {
	case "", "unavailable", "unknown", "none", "nan", "na":
		return nil, fmt.Errorf("%w: %s %s says %.40q", ErrNoValue, device, name, said)
	}
	n, ok := numberOf(strings.Trim(said, `"`))
	if !ok {
		return nil, fmt.Errorf("%w: %s %s: %.40q is no number", ErrMessage, device, name, said)
	}
	return []Value{{Device: device, Name: name, Number: n}}, nil
}

// readZigbee2MQTT reads the state of a device: <friendly name> with an object. last_seen is its time, where the bridge is told to send it.
func readZigbee2MQTT(m Message, c *Mapping) ([]Value, error) {
	device := m.Topic
	if i := strings.LastIndexByte(device, '/'); i >= 0 {
		switch device[i+1:] {
		case "availability", "set", "get":
			return nil, ErrNothing
		}
	}
	if device == "bridge" || strings.HasPrefix(device, "bridge/") {
		return nil, ErrNothing
	}
	in, err := object(m.Body)
	if err != nil {
		return nil, err
	}
	if device == "" {
		if info, ok := in["device"].(map[string]any); ok {
			device = text(info, "friendlyName")
		}
	}
	if device == "" {
		return nil, fmt.Errorf("%w: no topic and no device.friendlyName says which device it is of", ErrMessage)
	}
	var at time.Time
	if seen, ok := in["last_seen"]; ok && seen != nil && !c.ReceivedTime {
		if at, err = anyTime(seen, c.zone()); err != nil {
			return nil, err
		}
	}
	delete(in, "device")
	leaves, err := flatten(in)
	if err != nil {
		return nil, err
	}
	out := valuesOf(device, leaves, at, "last_seen", "linkquality")
	if len(out) == 0 {
		return nil, ErrNothing
	}
	return out, nil
}

// readTasmota reads tele/.../SENSOR: the values of each sensor chip, units beside them, and a time by the device's own zone.
func readTasmota(m Message, c *Mapping) ([]Value, error) {
	parts := strings.Split(m.Topic, "/")
	if m.Topic != "" {
		i := slices.Index(parts, "tele")
		if parts[len(parts)-1] != "SENSOR" || i < 0 {
			return nil, ErrNothing // STATE, LWT, INFO, stat/...
		}
		parts = slices.Delete(parts[:len(parts)-1], i, i+1)
	}
	device := strings.Join(parts, "/")
	in, err := object(m.Body)
	if err != nil {
		return nil, err
	}
	if device == "" {
		return nil, fmt.Errorf("%w: nothing says which device it is of: %%topic%% is missing in its FullTopic", ErrMessage)
	}
	var at time.Time
	if said := in["Time"]; said != nil && !c.ReceivedTime {
		if at, err = anyTime(said, c.zone()); err != nil {
			return nil, err
		}
	}
	units := map[string]string{"Temperature": tasmotaUnit(text(in, "TempUnit")), "DewPoint": tasmotaUnit(text(in, "TempUnit"))}
	if u := text(in, "PressureUnit"); u != "" {
		units["Pressure"], units["SeaPressure"] = u, u
	}
	delete(in, "Time")
	leaves, err := flatten(in)
	if err != nil {
		return nil, err
	}
	leaves = slices.DeleteFunc(leaves, func(l leaf) bool { _, number := l.value.(json.Number); return !number })
	out := valuesOf(device, leaves, at)
	for i := range out {
		name := out[i].Name
		out[i].Unit = units[name[strings.LastIndexByte(name, '.')+1:]]
	}
	if len(out) == 0 {
		return nil, ErrNothing
	}
	return out, nil
}

// tasmotaUnit is the unit of temperatures: SetOption8 makes them Fahrenheit.
func tasmotaUnit(said string) string {
	switch said {
	case "C":
		return "Cel"
	case "F":
		return "degF"
	}
	return said
}

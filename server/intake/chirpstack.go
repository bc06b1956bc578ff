package intake

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// readChirpStack reads an event "up" of ChirpStack v4: over MQTT on .../event/up, over HTTP with ?event=up. The device is its devEui; values are those
// of object, which a codec of the device profile decoded, or those of data that the mapping has a layout for.
func readChirpStack(m Message, c *Mapping) ([]Value, error) {
	event := m.Event
	if m.Topic != "" {
		event = m.Topic[strings.LastIndexByte(m.Topic, '/')+1:]
	}
	if event != "" && event != "up" {
		return nil, ErrNothing
	}
	in, err := object(m.Body)
	if err != nil {
		return nil, err
	}
	info, ok := in["deviceInfo"].(map[string]any)
	device := ""
	if ok {
		device = strings.ToLower(text(info, "devEui"))
	}
	if device == "" {
		return nil, fmt.Errorf("%w: no deviceInfo.devEui: is this an uplink of ChirpStack 4, with JSON as its payload marshaler?", ErrMessage)
	}
	at, err := chirpTime(in)
	if err != nil {
		return nil, err
	}
	var out []Value
	if o, ok := in["object"].(map[string]any); ok {
		leaves, err := flatten(o)
		if err != nil {
			return nil, err
		}
		out = valuesOf(device, leaves, at)
	}
	port, _ := number(in["fPort"])
	if fields := c.layout(device, int(port)); len(fields) > 0 {
		data, err := base64.StdEncoding.DecodeString(text(in, "data"))
		if err != nil {
			return nil, fmt.Errorf("%w: data is no base64: %w", ErrMessage, err)
		}
		for _, f := range fields {
			n, err := f.read(data)
			if err != nil {
				return nil, fmt.Errorf("%w: device %s, fPort %d: %w", ErrMessage, device, int(port), err)
			}
			out = slices.DeleteFunc(out, func(v Value) bool { return v.Name == f.Value }) // one message says a value once: the layout's is what somebody wrote for it
			out = append(out, Value{Device: device, Name: f.Value, Number: n, Time: at})
		}
	}
	if !slices.ContainsFunc(out, func(v Value) bool { return v.Text == "" }) {
		return nil, fmt.Errorf("%w: device %s: no number in object and no layout for fPort %d: give its device profile a codec in ChirpStack, or a layout in the mapping", ErrMessage, device, int(port))
	}
	slices.SortFunc(out, func(a, b Value) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// chirpTime is when the uplink was received by the network: a node that sends at once was measuring then. Where it has none, a gateway's own time.
func chirpTime(in map[string]any) (time.Time, error) {
	said := text(in, "time")
	if said == "" {
		rx, _ := in["rxInfo"].([]any)
		for _, x := range rx {
			g, _ := x.(map[string]any)
			for _, key := range []string{"gwTime", "nsTime", "time"} {
				if said == "" {
					said = text(g, key)
				}
			}
		}
	}
	if said == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339Nano, said)
	if err != nil {
		return at, fmt.Errorf("%w: time %q: want RFC 3339", ErrMessage, said)
	}
	return at.UTC(), nil
}

// readJSON reads any object: the mapping says where device and time stand.
func readJSON(m Message, c *Mapping) ([]Value, error) {
	in, err := object(m.Body)
	if err != nil {
		return nil, err
	}
	leaves, err := flatten(in)
	if err != nil {
		return nil, err
	}
	device := strings.Trim(m.Topic, "/")
	if c.DeviceField != "" {
		i := slices.IndexFunc(leaves, func(l leaf) bool { return l.path == c.DeviceField })
		if i < 0 {
			return nil, fmt.Errorf("%w: no %s, which device_field names", ErrMessage, c.DeviceField)
		}
		device = fmt.Sprint(leaves[i].value)
	}
	if device == "" {
		return nil, fmt.Errorf("%w: nothing says which device it is of: set device_field in the mapping", ErrMessage)
	}
	var at time.Time
	if c.TimeField != "" {
		i := slices.IndexFunc(leaves, func(l leaf) bool { return l.path == c.TimeField })
		if i < 0 {
			return nil, fmt.Errorf("%w: no %s, which time_field names", ErrMessage, c.TimeField)
		}
		if at, err = anyTime(leaves[i].value, c.zone()); err != nil {
			return nil, err
		}
	}
	return valuesOf(device, leaves, at, c.DeviceField, c.TimeField), nil
}

// valuesOf are the values among leaves, in the order of their names.
func valuesOf(device string, leaves []leaf, at time.Time, not ...string) []Value {
	var out []Value
	for _, l := range leaves {
		if slices.Contains(not, l.path) {
			continue
		}
		v := Value{Device: device, Name: l.path, Time: at}
		var ok bool
		if v.Number, ok = number(l.value); !ok {
			v.Text = fmt.Sprintf("%.40q", fmt.Sprint(l.value))
		}
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b Value) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// anyTime reads a time as devices write it: RFC 3339, the same without a zone, or seconds or milliseconds since 1970.
func anyTime(v any, zone *time.Location) (time.Time, error) {
	if n, ok := v.(json.Number); ok {
		f, err := n.Float64()
		switch {
		case err != nil || f < 0 || f > 4e12:
			return time.Time{}, fmt.Errorf("%w: time %s: want seconds or milliseconds since 1970", ErrMessage, n)
		case f >= 1e11:
			return time.UnixMilli(int64(f)).UTC(), nil
		}
		return time.UnixMilli(int64(f * 1000)).UTC(), nil
	}
	said := fmt.Sprint(v)
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05Z0700"} {
		if at, err := time.Parse(form, said); err == nil {
			return at.UTC(), nil
		}
	}
	for _, form := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if at, err := time.ParseInLocation(form, said, zone); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: time %q: want 2026-11-26T06:30:00, with or without a zone, or seconds or milliseconds since 1970", ErrMessage, said)
}

package intake

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
)

// Mapping is what a mapping file says: which value of which device is which quantity.
type Mapping struct {
	Kind         Kind               `yaml:"kind"`
	DeviceField  string             `yaml:"device_field"`  // kind json: path of the member that names the device; empty: the topic does
	TimeField    string             `yaml:"time_field"`    // kind json: path of the member that is the time; empty: when it was received
	Zone         string             `yaml:"zone"`          // of times without one; empty: the co-op's
	ReceivedTime bool               `yaml:"received_time"` // the devices' clocks are not believed: a value is of the moment it was received
	MaxAge       time.Duration      `yaml:"max_age"`       // older values are refused; 0: 7 days
	Profiles     map[string]Profile `yaml:"profiles"`
	Devices      map[string]Device  `yaml:"devices"`

	loc *time.Location
}

// Profile is what devices of one model have in common.
type Profile struct {
	Values map[string]Use  `yaml:"values"`
	Layout map[int][]Field `yaml:"layout"` // kind chirpstack: of data, by fPort
	Ignore []string        `yaml:"ignore"` // values that are of no interest; * at the end stands for any rest
}

// Device is one device. What it says of a value goes before its profile.
type Device struct {
	Sensor  string `yaml:"sensor"` // [a-z0-9-], as places name it
	Profile string `yaml:"profile"`

	Values map[string]Use  `yaml:"values"`
	Layout map[int][]Field `yaml:"layout"`
	Ignore []string        `yaml:"ignore"`
}

// Use says what one value is.
type Use struct {
	Quantity measure.Quantity `yaml:"quantity"`
	Unit     string           `yaml:"unit"`  // of the device; empty: as the message says, or the quantity's
	Scale    float64          `yaml:"scale"` // before Offset, in the device's unit; 0: 1
	Offset   float64          `yaml:"offset"`
	Sensor   string           `yaml:"sensor"`  // empty: the device's
	Quality  string           `yaml:"quality"` // good, estimated, suspect; empty: uncalibrated
}

const defaultMaxAge = 7 * 24 * time.Hour

// maxDevices bounds a mapping.
const maxDevices = 5000

// ParseMapping reads and checks a mapping file. Its errors name the line and the mend.
func ParseMapping(name string, raw []byte) (*Mapping, error) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	c := &Mapping{}
	if err := Strictly(name, raw, c); err != nil {
		return nil, err
	}
	if wrong := c.check(); wrong != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, LineAt(raw, wrong.path), wrong)
	}
	return c, nil
}

// Strictly reads the YAML of a file; its errors say where, and name keys that nobody knows.
func Strictly(name string, raw []byte, into any) error {
	if err := strictly(raw, into); err != nil {
		return fmt.Errorf("%s: %s", name, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	return nil
}

// strictly reads YAML. The decoder panics on some malformed anchors and tags; that is a mistake in the file, no reason to end.
func strictly(raw []byte, into any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("this YAML cannot be read (%v): write it without anchors, aliases and tags", p)
		}
	}()
	return yaml.UnmarshalWithOptions(raw, into, yaml.Strict())
}

// mappingError is what is wrong in a mapping, and where.
type mappingError struct {
	path []string
	text string
}

// Error says where by keys, and what.
func (w *mappingError) Error() string { return strings.Join(w.path, ".") + ": " + w.text }

func wrong(text string, path ...string) *mappingError { return &mappingError{path, text} }

func (c *Mapping) check() *mappingError {
	if !slices.Contains(Kinds(), c.Kind) {
		return wrong(fmt.Sprintf("%q: want one of %v", c.Kind, Kinds()), "kind")
	}
	if c.Kind != JSON && c.DeviceField != "" {
		return wrong("only kind json has it", "device_field")
	}
	if c.Kind != JSON && c.TimeField != "" {
		return wrong("only kind json has it", "time_field")
	}
	c.loc = farm.Time()
	if c.Zone != "" {
		var err error
		if c.loc, err = time.LoadLocation(c.Zone); err != nil {
			return wrong(fmt.Sprintf("%q is no time zone: write one such as Asia/Ho_Chi_Minh", c.Zone), "zone")
		}
	}
	if c.MaxAge < 0 {
		return wrong("want a time such as 168h", "max_age")
	}
	if c.MaxAge == 0 {
		c.MaxAge = defaultMaxAge
	}
	if len(c.Devices) > maxDevices {
		return wrong(fmt.Sprintf("%d devices: at most %d; make a second intake", len(c.Devices), maxDevices), "devices")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Profiles)) {
		p := c.Profiles[name]
		if w := c.checkValues(p.Values, p.Layout, "profiles", name); w != nil {
			return w
		}
	}
	return c.checkDevices()
}

func (c *Mapping) checkDevices() *mappingError {
	type channel struct {
		sensor   string
		quantity measure.Quantity
	}
	whose := map[channel]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Devices)) {
		d := c.Devices[name]
		if d.Profile != "" {
			if _, ok := c.Profiles[d.Profile]; !ok {
				return wrong(fmt.Sprintf("no profile %q: there are %v", d.Profile, slices.Sorted(maps.Keys(c.Profiles))), "devices", name, "profile")
			}
		}
		if !validSensor(d.Sensor) {
			return wrong(fmt.Sprintf("sensor %q: want small letters, digits and hyphens, at most 40, as places name it", d.Sensor), "devices", name, "sensor")
		}
		if w := c.checkValues(d.Values, d.Layout, "devices", name); w != nil {
			return w
		}
		for _, v := range c.namesOf(d) {
			use, _ := c.use(name, v)
			ch := channel{use.Sensor, use.Quantity}
			if first, twice := whose[ch]; twice {
				return wrong(fmt.Sprintf("%s of sensor %s comes from %s already: give one of them a sensor of its own", ch.quantity, ch.sensor, first), "devices", name)
			}
			whose[ch] = name + " " + v
		}
	}
	return nil
}

func validSensor(s string) bool { return s != "gateway" && measure.ValidID(s, 40) }

// namesOf lists the values that are used of a device.
func (c *Mapping) namesOf(d Device) []string {
	all := maps.Clone(c.Profiles[d.Profile].Values)
	if all == nil {
		all = map[string]Use{}
	}
	maps.Copy(all, d.Values)
	return slices.Sorted(maps.Keys(all))
}

func (c *Mapping) checkValues(values map[string]Use, layout map[int][]Field, path ...string) *mappingError {
	at := func(more ...string) []string { return append(slices.Clone(path), more...) }
	for _, name := range slices.Sorted(maps.Keys(values)) {
		u := values[name]
		if u.Sensor == "" {
			u.Sensor = "s" // the device's
		}
		if key, err := u.Check(); err != nil {
			return wrong(err.Error(), at("values", name, key)...)
		}
	}
	if len(layout) > 0 && c.Kind != ChirpStack {
		return wrong("only kind chirpstack has raw data", at("layout")...)
	}
	for port, fields := range layout {
		for _, f := range fields {
			if _, ok := fieldSizes()[f.Type]; !ok || f.At < 0 || f.At > 255 || f.Value == "" || !finite(f.Scale) || !finite(f.Offset) {
				return wrong(fmt.Sprintf("fPort %d: %+v: want value, at (0 to 255) and type, one of %v", port, f, slices.Sorted(maps.Keys(fieldSizes()))), at("layout")...)
			}
		}
	}
	return nil
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

func (c *Mapping) zone() *time.Location { return c.loc }

// layout returns how the raw data of a device is laid out on a port.
func (c *Mapping) layout(device string, port int) []Field {
	d, ok := c.Devices[device]
	if !ok {
		return nil
	}
	if f, ok := d.Layout[port]; ok {
		return f
	}
	return c.Profiles[d.Profile].Layout[port]
}

// use returns what a value of a device is; ok is false where nobody said. Its sensor is filled in.
func (c *Mapping) use(device, value string) (u Use, ok bool) {
	d, known := c.Devices[device]
	if !known {
		return u, false
	}
	if u, ok = d.Values[value]; !ok {
		u, ok = c.Profiles[d.Profile].Values[value]
	}
	if u.Sensor == "" {
		u.Sensor = d.Sensor
	}
	return u, ok
}

// ignored reports whether a value of a device is of no interest.
func (c *Mapping) ignored(device, value string) bool {
	d, ok := c.Devices[device]
	if _, used := c.use(device, value); !ok || used {
		return false
	}
	return slices.ContainsFunc(slices.Concat(d.Ignore, c.Profiles[d.Profile].Ignore), func(p string) bool {
		rest, all := strings.CutSuffix(p, "*")
		return p == value || all && strings.HasPrefix(value, rest)
	})
}

// Check reports what is wrong with u, and under which key.
func (u Use) Check() (key string, err error) {
	if _, ok := u.Quantity.Info(); !ok || u.Quantity.OfGateway() {
		return "quantity", fmt.Errorf("quantity %q: server intake quantities lists what there is", u.Quantity)
	}
	if _, err := toQuantity(u.Unit, u.Quantity); err != nil {
		return "unit", err
	}
	if !validSensor(u.Sensor) {
		return "sensor", fmt.Errorf("sensor %q: want small letters, digits and hyphens, at most 40", u.Sensor)
	}
	if !finite(u.Scale) || !finite(u.Offset) {
		return "scale", errors.New("want a number")
	}
	if q, ok := measure.ParseQuality(u.Quality); u.Quality != "" && (!ok || q >= measure.OutOfRange) {
		return "quality", fmt.Errorf("quality %q: want good, uncalibrated, estimated or suspect", u.Quality)
	}
	return "", nil
}

// Reading is a number that was told, at a time, as what u says that it is. unit is the one that was told with it; empty: none was.
func (u Use) Reading(n float64, unit string, at time.Time) (r measure.Reading, err error) {
	if u.Unit != "" {
		unit = u.Unit
	}
	to, err := toQuantity(unit, u.Quantity)
	if err != nil {
		return r, err
	}
	if u.Scale != 0 {
		n *= u.Scale
	}
	n = (n+u.Offset)*to.scale + to.offset
	q, err := u.Quantity.Grade(n)
	if err != nil {
		return r, err
	}
	own := measure.Uncalibrated
	if p, ok := measure.ParseQuality(u.Quality); ok && u.Quality != "" {
		own = p
	}
	return measure.Reading{Sensor: u.Sensor, Quantity: u.Quantity, Time: measure.Instant{Wall: at, Clock: measure.Synced}, Value: n, Quality: measure.Worse(q, own)}, nil
}

// LineAt returns the line of a path of keys, or that of the nearest above it that the file has.
func LineAt(raw []byte, path []string) int {
	line := 1
	file, err := parser.ParseBytes(raw, 0)
	if err != nil || len(file.Docs) == 0 {
		return line
	}
	node := file.Docs[0].Body
	for _, key := range path {
		m, ok := node.(*ast.MappingNode)
		if !ok {
			return line
		}
		node = nil
		for _, v := range m.Values {
			if strings.Trim(v.Key.String(), `"'`) == key {
				line, node = v.Key.GetToken().Position.Line, v.Value
			}
		}
	}
	return line
}

var errKind = errors.New("unknown kind")

package farm

import (
	"slices"
	"time"
)

// Ground is how much water the soil of a plot holds, in percent of its volume, the unit of soil moisture. What is not known is zero.
type Ground struct {
	Texture       string  `json:"texture,omitempty"`        // one of Textures
	FieldCapacity float64 `json:"field_capacity,omitempty"` // what stays a day or two after rain, as the probe of this plot reads it
	WiltingPoint  float64 `json:"wilting_point,omitempty"`  // what roots cannot take
	// On is the day FieldCapacity was read off a probe, and Probe which: GATEWAY/SENSOR. Another probe reads another number in the same soil.
	On    time.Time `json:"on,omitzero"`
	Probe string    `json:"probe,omitempty"`
}

// Holding is the water that a soil holds at its two ends, percent of its volume.
type Holding struct{ FieldCapacity, WiltingPoint float64 }

// Textures returns the soils that have a name, the lightest first.
func Textures() []string {
	return []string{"sandy_loam", "loam", "silt_loam", "silty_clay_loam", "clay"}
}

// Texture returns what a soil of a name holds: the middles of the ranges of FAO-56 table 19. It is an estimate of any one field.
func Texture(name string) (Holding, bool) {
	switch name {
	case "sandy_loam":
		return Holding{23, 11}, true
	case "loam":
		return Holding{25, 12}, true
	case "silt_loam":
		return Holding{29, 15}, true
	case "silty_clay_loam":
		return Holding{33.5, 20.5}, true
	case "clay":
		return Holding{36, 22}, true
	}
	return Holding{}, false
}

// LeastHeld is the least share of its volume by which field capacity is above the wilting point in any soil that is farmed, percent.
const LeastHeld = 3

// Holds returns what the soil holds; estimated says that the field capacity is the texture's, not this field's; ok is false where neither is
// known. Where the field capacity is this probe's and the wilting point is nobody's, it lies below by as much as in a soil of the texture: a
// probe that reads high reads both ends high.
func (g Ground) Holds() (h Holding, estimated, ok bool) {
	table, known := Texture(g.Texture)
	h, estimated = Holding{g.FieldCapacity, g.WiltingPoint}, g.FieldCapacity == 0
	if h.FieldCapacity == 0 {
		h.FieldCapacity = table.FieldCapacity
	}
	if h.WiltingPoint == 0 {
		h.WiltingPoint = h.FieldCapacity - (table.FieldCapacity - table.WiltingPoint)
	}
	if (!known && (g.FieldCapacity == 0 || g.WiltingPoint == 0)) || h.WiltingPoint <= 0 || h.FieldCapacity < h.WiltingPoint+LeastHeld {
		return Holding{}, false, false
	}
	return h, estimated, true
}

// fileGround is a Ground in the farm file.
type fileGround struct {
	Texture       string  `yaml:"texture"`
	FieldCapacity float64 `yaml:"field_capacity"`
	WiltingPoint  float64 `yaml:"wilting_point"`
	On            string  `yaml:"on"`
	Probe         string  `yaml:"probe"`
}

func (g Ground) file() fileGround {
	return fileGround{Texture: g.Texture, FieldCapacity: g.FieldCapacity, WiltingPoint: g.WiltingPoint, On: fileTime(g.On), Probe: g.Probe}
}

// Bounds of what a soil holds, percent of its volume: peat soils of the delta's margins reach the upper one.
const (
	leastCapacity, mostCapacity = 5, 60
	leastWilting, mostWilting   = 1, 45
)

// ground reads what the soil of a place holds, and says what no soil does.
func (b *builder) ground(path string, r fileGround) Ground {
	g := Ground{Texture: r.Texture, FieldCapacity: r.FieldCapacity, WiltingPoint: r.WiltingPoint, On: b.date(path+".on", r.On), Probe: r.Probe}
	if g.Texture != "" && !slices.Contains(Textures(), g.Texture) {
		b.wrong(path+".texture", "%q is no texture: use one of %v, or leave it out", g.Texture, Textures())
	}
	number := func(key string, v, low, high float64) {
		if v != 0 && !(v >= low && v <= high) { // and not NaN
			b.wrong(path+"."+key, "%v %% of the soil's volume: want %g to %g, or leave it out", v, low, high)
		}
	}
	number("field_capacity", g.FieldCapacity, leastCapacity, mostCapacity)
	number("wilting_point", g.WiltingPoint, leastWilting, mostWilting)
	if g.FieldCapacity == 0 && (g.Probe != "" || !g.On.IsZero()) {
		b.wrong(path+".field_capacity", "on and probe say how it was read, but it is not there: write it, or leave them out")
	}
	capacity := g.FieldCapacity
	if table, ok := Texture(g.Texture); ok && capacity == 0 {
		capacity = table.FieldCapacity
	}
	if g.WiltingPoint != 0 && capacity != 0 && capacity < g.WiltingPoint+LeastHeld {
		b.wrong(path+".wilting_point", "%g %% is not %d below the field capacity, %g %%: correct one of them", g.WiltingPoint, LeastHeld, capacity)
	}
	if len(g.Probe) > 80 {
		b.wrong(path+".probe", "longer than 80 characters: write GATEWAY/SENSOR")
	}
	return g
}

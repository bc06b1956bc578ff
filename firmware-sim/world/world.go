package world

import (
	"errors"
	"fmt"
	"time"

	"aovuon/gateway/measure"
)

// ErrUnknown is returned for a place the world does not have, or a quantity the place does not have.
var ErrUnknown = errors.New("world: unknown")

// Kind is what a place is.
type Kind string

// The kinds of places.
const (
	Pond Kind = "pond" // water temperature, dissolved oxygen, pH, ORP, conductivity, salinity, water level; the air above it
	Plot Kind = "plot" // soil moisture, temperature and conductivity, air temperature, relative humidity, air pressure
)

// Place is one pond or plot. Zero fields mean the defaults named beside them.
type Place struct {
	ID      string
	Kind    Kind
	Density float64 // pond: stocking density against a usual pond, 0.2 … 2; default 1. Denser ponds sink lower at dawn
	Soil    Soil    // plot: default silt loam
	DryOut  float64 // plot: days in the sun after which irrigation comes, 2 … 10; default 5
}

// Soil is the water a soil holds, in m³/m³ (FAO-56 table 19).
type Soil struct {
	FieldCapacity float64 // what stays a day after rain
	WiltingPoint  float64 // what roots cannot take
	Saturation    float64 // all pores full
}

// SiltLoam is the middle of the FAO-56 range for silt loam, the usual soil of the delta's dikes and plots.
func SiltLoam() Soil { return Soil{FieldCapacity: 0.29, WiltingPoint: 0.15, Saturation: 0.46} }

// World holds the places of one field. It is safe for concurrent use.
type World struct {
	seed   uint64
	places map[string]Place
	dried  memory // of the soil model
}

// New makes the world of one seed. A place named twice, an unknown kind or a value outside its limits is an error.
func New(seed uint64, places []Place) (*World, error) {
	w := &World{seed: seed, places: make(map[string]Place, len(places)), dried: memory{hours: make(map[stretch][]float64)}}
	for _, p := range places {
		if _, twice := w.places[p.ID]; twice {
			return nil, fmt.Errorf("world: place %q is there twice; give every place its own id", p.ID)
		}
		p, err := p.withDefaults()
		if err != nil {
			return nil, err
		}
		w.places[p.ID] = p
	}
	return w, nil
}

func (p Place) withDefaults() (Place, error) {
	if !measure.ValidID(p.ID, 40) {
		return p, fmt.Errorf("world: bad place id %q: want [a-z0-9][a-z0-9-]*, at most 40 characters", p.ID)
	}
	if p.Density == 0 {
		p.Density = 1
	}
	if p.DryOut == 0 {
		p.DryOut = 5
	}
	if p.Soil == (Soil{}) {
		p.Soil = SiltLoam()
	}
	switch {
	case p.Kind != Pond && p.Kind != Plot:
		return p, fmt.Errorf("world: place %s: unknown kind %q; want pond or plot", p.ID, string(p.Kind))
	case p.Density < 0.2 || p.Density > 2:
		return p, fmt.Errorf("world: place %s: density %g; want 0.2 to 2", p.ID, p.Density)
	case p.DryOut < 2 || p.DryOut > 10:
		return p, fmt.Errorf("world: place %s: dry_out %g days; want 2 to 10", p.ID, p.DryOut)
	case p.Soil.WiltingPoint <= 0 || p.Soil.FieldCapacity <= p.Soil.WiltingPoint ||
		p.Soil.Saturation <= p.Soil.FieldCapacity || p.Soil.Saturation > 0.6:
		return p, fmt.Errorf("world: place %s: soil %+v; want 0 < wilting point < field capacity < saturation <= 0.6", p.ID, p.Soil)
	}
	return p, nil
}

// Value returns quantity q at a place and an instant, in the quantity's unit. Values are continuous in t and lie within
// the quantity's physical limits. An unknown place or a quantity the place does not have is ErrUnknown.
func (w *World) Value(place string, q measure.Quantity, t time.Time) (float64, error) {
	p, ok := w.places[place]
	if !ok {
		return 0, fmt.Errorf("%w place %q", ErrUnknown, place)
	}
	h := hoursOf(t)
	switch {
	case p.Kind == Pond && q == measure.WaterTemperature:
		return w.waterTemperature(p, h), nil
	case p.Kind == Pond && q == measure.DissolvedOxygen:
		return w.oxygen(p, h), nil
	case p.Kind == Pond && q == measure.PH:
		return w.ph(p, h), nil
	case p.Kind == Pond && q == measure.WaterLevel:
		return w.level(p, h), nil
	case p.Kind == Pond && q == measure.Conductivity:
		return w.conductivity(p, h), nil
	case p.Kind == Pond && q == measure.Salinity:
		return w.conductivity(p, h) * saltPerMicrosiemens, nil
	case p.Kind == Pond && q == measure.ORP:
		return w.orp(p, h), nil
	case p.Kind == Plot && q == measure.SoilTemperature:
		return w.soilTemperature(p, h), nil
	case p.Kind == Plot && q == measure.SoilConductivity:
		return w.soilConductivity(p, h), nil
	case p.Kind == Plot && q == measure.SoilMoisture:
		return 100 * w.soil(p, h), nil
	case q == measure.AirTemperature:
		return w.plotAir(p, h), nil
	case p.Kind == Plot && q == measure.RelativeHumidity:
		return w.humidity(p, h), nil
	case q == measure.AirPressure:
		return w.pressure(h), nil
	}
	return 0, fmt.Errorf("%w quantity %q at %s %s", ErrUnknown, string(q), p.Kind, place)
}

// hoursOf is the field's own time: hours of Vietnamese civil time (UTC+7, no summer time) since 1970-01-01 00:00.
// At 106° E the sun runs four minutes ahead of it, which nothing here resolves.
func hoursOf(t time.Time) float64 {
	return float64(t.Unix())/3600 + float64(t.Nanosecond())/3.6e12 + 7
}

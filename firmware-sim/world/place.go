package world

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aovuon/gateway/measure"
)

// Kind is what a place is.
type Kind string

// The kinds of places.
const (
	Pond Kind = "pond" // water, and the air above it
	Plot Kind = "plot" // soil, crop, and the air over the leaves
	Room Kind = "room" // a drying room for bánh đa and herbs
)

// Care says whether people do by themselves what a place needs.
type Care string

// The sorts of care.
const (
	Usual Care = "usual" // they feed, refill, irrigate, stock, plant, harvest and load as is the custom; the default
	None  Care = "none"  // nothing happens but actions
)

// Place is one pond, plot or room. Zero fields mean the defaults named beside them; a field of another kind of place is an
// error.
type Place struct {
	ID   string
	Kind Kind
	Care Care // default usual

	// Depth of the probes, m. Of a pond 0.05 to 4, default 0.5, in the upper layer (1.2 is the lower one); of a plot 0.03 to 0.8,
	// default 0.15; of a room none.
	Probe float64

	// A pond.
	Area    float64 // m², 20 to 100,000; default 2,000
	Depth   float64 // m, when it is full, 0.5 to 4; default 1.5
	Species string  // one of Species(); default tilapia
	Density float64 // fish against a usual pond, 0.2 to 2; default 1. Denser ponds sink lower at dawn
	Stock   float64 // kg of fish when the world begins, up to 20 kg/m²; 0: what its routine and its density make of it

	Alkalinity float64 // mg CaCO3/L of its water and of the river's, 5 to 400; default 80 to 130, the pond's own. Below 45 people lime it

	// A plot.
	Crop   string  // one of Crops(); default potato
	Soil   Soil    // default silt loam
	Layers []Layer // from the surface down; none: the model's own layers of Soil
	DryOut float64 // days in the sun after which irrigation comes, 2 to 10; default 5
	Season string  // of a potato: one of Seasons(); default main

	// A room.
	Goods string // one of Goods(); default banh-da
}

// Soil is the water a soil holds, in m³/m³ (FAO-56 table 19).
type Soil struct {
	FieldCapacity float64 // what stays a day after rain
	WiltingPoint  float64 // what roots cannot take
	Saturation    float64 // all pores full
}

// Layer is a layer of a plot's soil.
type Layer struct {
	Thickness float64 // m, 0.02 to 1
	Soil      Soil
}

// SiltLoam is the middle of the FAO-56 range for silt loam, the usual soil of the delta's dikes and plots.
func SiltLoam() Soil { return Soil{FieldCapacity: 0.29, WiltingPoint: 0.15, Saturation: 0.46} }

// Soils are the soils that have a name: the middles of the ranges of FAO-56 table 19; saturation as in table 5 of Saxton and
// Rawls 2006 for the same textures, rounded.
func Soils() map[string]Soil {
	return map[string]Soil{
		"sandy-loam":      {FieldCapacity: 0.23, WiltingPoint: 0.11, Saturation: 0.45},
		"loam":            {FieldCapacity: 0.25, WiltingPoint: 0.12, Saturation: 0.46},
		"silt-loam":       SiltLoam(),
		"silty-clay-loam": {FieldCapacity: 0.335, WiltingPoint: 0.205, Saturation: 0.51},
		"clay":            {FieldCapacity: 0.36, WiltingPoint: 0.22, Saturation: 0.50},
	}
}

// Species are the fish a pond can have.
func Species() []string { return []string{"tilapia", "carp", "pangasius"} }

// Crops are what can grow on a plot.
func Crops() []string { return []string{"potato", "herb", "rice"} }

// Seasons are those of the winter potato in the north: early (October to December), main (October to February) and spring (December to March).
func Seasons() []string { return []string{"early", "main", "spring"} }

// Goods are what can be dried in a room.
func Goods() []string { return []string{"banh-da", "herb"} }

// withDefaults returns p with its defaults filled in, or what is wrong with it.
func (p Place) withDefaults() (Place, error) {
	if !measure.ValidID(p.ID, 40) {
		return p, fmt.Errorf("world: bad place id %q: want [a-z0-9][a-z0-9-]*, at most 40 characters", p.ID)
	}
	if err := p.foreign(); err != nil {
		return p, err
	}
	if p.Care == "" {
		p.Care = Usual
	}
	if p.Care != Usual && p.Care != None {
		return p, fmt.Errorf("world: place %s: care %q; want usual or none", p.ID, string(p.Care))
	}
	switch p.Kind {
	case Pond:
		return p.pond()
	case Plot:
		return p.plot()
	case Room:
		p.Goods = or(p.Goods, "banh-da")
		return p, p.oneOf("goods", p.Goods, Goods())
	}
	return p, fmt.Errorf("world: place %s: unknown kind %q; want pond, plot or room", p.ID, string(p.Kind))
}

// foreign finds a field that another kind of place has.
func (p Place) foreign() error {
	for _, f := range []struct {
		of   Kind
		name string
		set  bool
	}{
		{Pond, "area", p.Area != 0},
		{Pond, "depth", p.Depth != 0},
		{Pond, "species", p.Species != ""},
		{Pond, "density", p.Density != 0},
		{Pond, "stock", p.Stock != 0},
		{Pond, "alkalinity", p.Alkalinity != 0},
		{Plot, "crop", p.Crop != ""},
		{Plot, "soil", p.Soil != (Soil{})},
		{Plot, "layers", len(p.Layers) > 0},
		{Plot, "dry_out", p.DryOut != 0},
		{Plot, "season", p.Season != ""},
		{Room, "goods", p.Goods != ""},
	} {
		if f.set && f.of != p.Kind && (p.Kind == Pond || p.Kind == Plot || p.Kind == Room) {
			return fmt.Errorf("world: place %s: a %s has no %s: remove it", p.ID, p.Kind, f.name)
		}
	}
	if p.Kind == Room && p.Probe != 0 {
		return fmt.Errorf("world: place %s: a room has no probe_depth: remove it", p.ID)
	}
	return nil
}

func (p Place) pond() (Place, error) {
	p.Area, p.Depth, p.Density = or(p.Area, 2000), or(p.Depth, 1.5), or(p.Density, 1)
	p.Species, p.Probe = or(p.Species, "tilapia"), or(p.Probe, 0.5)
	if p.Alkalinity != 0 {
		if err := p.within("alkalinity", p.Alkalinity, 5, 400, "mg CaCO3/L"); err != nil {
			return p, err
		}
	}
	return p, errors.Join(
		p.within("area", p.Area, 20, 100_000, "m²"), p.within("depth", p.Depth, 0.5, 4, "m"), p.within("density", p.Density, 0.2, 2, ""),
		p.within("stock", p.Stock, 0, 20*p.Area, "kg"), p.within("probe_depth", p.Probe, 0.05, 4, "m"), p.oneOf("species", p.Species, Species()))
}

func (p Place) plot() (Place, error) {
	p.DryOut, p.Crop, p.Probe = or(p.DryOut, 5), or(p.Crop, "potato"), or(p.Probe, 0.15)
	p.Season = or(p.Season, "main")
	if p.Soil == (Soil{}) {
		p.Soil = SiltLoam()
	}
	errs := []error{
		p.within("dry_out", p.DryOut, 2, 10, "days"), p.oneOf("crop", p.Crop, Crops()), p.oneOf("season", p.Season, Seasons()),
		p.within("probe_depth", p.Probe, 0.03, 0.8, "m"), p.soil(p.Soil),
	}
	for _, l := range p.Layers {
		errs = append(errs, p.within("thickness of a layer", l.Thickness, 0.02, 1, "m"), p.soil(l.Soil))
	}
	return p, errors.Join(errs...)
}

func (p Place) soil(s Soil) error {
	if s.WiltingPoint > 0 && s.FieldCapacity > s.WiltingPoint && s.Saturation > s.FieldCapacity && s.Saturation <= 0.6 {
		return nil
	}
	return fmt.Errorf("world: place %s: soil %+v; want 0 < wilting point < field capacity < saturation <= 0.6, or one of %s",
		p.ID, s, strings.Join(slices.Sorted(maps.Keys(Soils())), ", "))
}

func (p Place) within(what string, v, low, high float64, unit string) error {
	if v >= low && v <= high { // and not NaN
		return nil
	}
	return fmt.Errorf("world: place %s: %s %g; want %s", p.ID, what, v, span(low, high, unit))
}

func (p Place) oneOf(what, v string, list []string) error {
	if slices.Contains(list, v) {
		return nil
	}
	return fmt.Errorf("world: place %s: %s %q; want one of %s", p.ID, what, v, strings.Join(list, ", "))
}

// span is a range as people read it.
func span(low, high float64, unit string) string {
	if unit == "" {
		return fmt.Sprintf("%g to %g", low, high)
	}
	return fmt.Sprintf("%g to %g %s", low, high, unit)
}

// or is v, or the default in its place.
func or[T comparable](v, usual T) T {
	var zero T
	if v == zero {
		return usual
	}
	return v
}

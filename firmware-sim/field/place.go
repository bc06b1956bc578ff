package field

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"aovuon/firmware-sim/world"
)

// Place is a pond, a plot or a drying room of the world. Keys that are left out mean what world.Place says.
type Place struct {
	ID   string `yaml:"id"`
	Kind string `yaml:"kind"` // pond, plot, room
	Care string `yaml:"care"` // usual: people do what a place needs; none: only what is commanded happens

	Area       float64 `yaml:"area"`       // pond: m²
	Depth      float64 `yaml:"depth"`      // pond: m, full
	Species    string  `yaml:"species"`    // pond: tilapia, carp, pangasius
	Density    float64 `yaml:"density"`    // pond: fish against a usual pond, 0.2 to 2
	Stock      float64 `yaml:"stock"`      // pond: kg of fish when the world begins
	Alkalinity float64 `yaml:"alkalinity"` // pond: mg CaCO3/L, 5 to 400

	Crop   string  `yaml:"crop"`        // plot: potato, herb, rice
	Soil   Soil    `yaml:"soil"`        // plot: a name, or figures
	Layers []Layer `yaml:"layers"`      // plot: from the surface down
	DryOut float64 `yaml:"dry_out"`     // plot: days in the sun after which irrigation comes, 2 to 10
	Season string  `yaml:"season"`      // plot of potatoes: early, main, spring
	Probe  float64 `yaml:"probe_depth"` // pond: m, 0.05 to 4; plot: 0.03 to 0.8

	Goods string `yaml:"goods"` // room: banh-da, herb
}

// Soil is a soil by its name ("silt-loam") or by its figures in m³/m³.
type Soil struct {
	FieldCapacity float64 `yaml:"field_capacity"`
	WiltingPoint  float64 `yaml:"wilting_point"`
	Saturation    float64 `yaml:"saturation"`
}

// Layer is a layer of a plot's soil.
type Layer struct {
	Thickness float64 `yaml:"thickness"` // m
	Soil      Soil    `yaml:"soil"`
}

// UnmarshalYAML implements yaml.BytesUnmarshaler.
func (s *Soil) UnmarshalYAML(raw []byte) error {
	var name string
	if yaml.Unmarshal(raw, &name) == nil {
		known, ok := world.Soils()[name]
		if !ok {
			return fmt.Errorf("no soil %q: want one of %s, or figures such as { field_capacity: 0.29, wilting_point: 0.15, saturation: 0.46 }",
				name, strings.Join(slices.Sorted(maps.Keys(world.Soils())), ", "))
		}
		*s = Soil(known)
		return nil
	}
	type figures Soil
	return yaml.UnmarshalWithOptions(raw, (*figures)(s), yaml.Strict())
}

func (p Place) world() world.Place {
	w := world.Place{
		ID: p.ID, Kind: world.Kind(p.Kind), Care: world.Care(p.Care),
		Area: p.Area, Depth: p.Depth, Species: p.Species, Density: p.Density, Stock: p.Stock, Alkalinity: p.Alkalinity,
		Crop: p.Crop, Soil: world.Soil(p.Soil), DryOut: p.DryOut, Season: p.Season, Probe: p.Probe, Goods: p.Goods,
	}
	for _, l := range p.Layers {
		w.Layers = append(w.Layers, world.Layer{Thickness: l.Thickness, Soil: world.Soil(l.Soil)})
	}
	return w
}

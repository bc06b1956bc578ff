package world

import "math"

// texture is what a named soil is besides the water it holds.
type texture struct {
	name         string
	capacity     float64 // water at field capacity, m³/m³: the middle of FAO-56 table 19
	wilting      float64 // and at the wilting point
	porosity     float64 // m³/m³, Rawls, Brakensiek and Miller 1983
	conductivity float64 // saturated, mm/h, Rawls, Brakensiek and Saxton 1982
	front        float64 // suction at the wetting front, mm, Rawls, Brakensiek and Miller 1983
	clay         float64 // share of the solids
	salt         conduction
}

// conduction are the three numbers of Rhoades 1976: the share (a θ + b) of the pore water that conducts, and what the solids
// conduct, µS/cm.
type conduction struct{ a, b, solids float64 }

// trapped is the share of the pores that stays full of air in a wetted field: natural saturation is below the porosity.
const trapped = 0.08

// textures are the soils of FAO-56 table 19. Rhoades 1976 measured a sandy loam (Pachappa), a very fine sandy loam (Indio) and
// a clay loam (Domino); the others take the nearest of the three.
func textures() []texture {
	pachappa, indio, domino := conduction{1.382, -0.093, 180}, conduction{1.287, -0.116, 250}, conduction{2.134, -0.245, 450}
	return []texture{
		{"sand", 0.12, 0.045, 0.437, 210, 49.5, 0.03, pachappa},
		{"loamy sand", 0.15, 0.065, 0.437, 61.1, 61.3, 0.06, pachappa},
		{"sandy loam", 0.23, 0.11, 0.453, 25.9, 110.1, 0.10, pachappa},
		{"loam", 0.25, 0.12, 0.463, 13.2, 88.9, 0.18, indio},
		{"silt loam", 0.29, 0.15, 0.501, 6.8, 166.8, 0.15, indio},
		{"silt", 0.32, 0.17, 0.501, 6.8, 166.8, 0.08, indio},
		{"silty clay loam", 0.335, 0.205, 0.471, 1.5, 273, 0.34, domino},
		{"silty clay", 0.36, 0.23, 0.479, 0.9, 292.2, 0.47, domino},
		{"clay", 0.36, 0.22, 0.475, 0.6, 316.3, 0.55, domino},
	}
}

// Trigger is the water content at which roots begin to suffer, m³/m³: field capacity less the share p of what is available
// (FAO-56 equation 83).
func (s Soil) Trigger(p float64) float64 { return s.FieldCapacity - p*(s.FieldCapacity-s.WiltingPoint) }

// ground is a soil and all that follows from it.
type ground struct {
	Soil
	texture
	b       float64 // Campbell's exponent of the water retention
	entry   float64 // suction at which air enters, mm
	density float64 // of the dry soil, Mg/m³
}

// Suctions at the two ends of the available water, mm of water: 33 and 1,500 kPa.
const (
	capacitySuction = 3365.0
	wiltingSuction  = 152_960.0
)

// newGround takes the nearest texture to the given water contents, and Campbell's retention curve ψ = ψe (θ/θs)^-b (Campbell
// 1974) through both of them.
func newGround(s Soil) ground {
	g := ground{Soil: s}
	best := math.Inf(1)
	for _, t := range textures() {
		if d := math.Hypot(t.capacity-s.FieldCapacity, t.wilting-s.WiltingPoint); d < best {
			best, g.texture = d, t
		}
	}
	g.b = math.Log(wiltingSuction/capacitySuction) / math.Log(s.FieldCapacity/s.WiltingPoint)
	g.entry = capacitySuction * math.Pow(s.FieldCapacity/s.Saturation, g.b)
	g.density = 2.65 * (1 - s.Saturation/(1-trapped))
	return g
}

// grounds are the soils of the layers: of each the soil that lies in its middle, by the place's own layers if it has some; the
// lowest of them goes on downwards.
func grounds(p Place) [plotLayers]ground {
	var list [plotLayers]ground
	top := 0.0
	for i := range list {
		middle := top + thickness(i)/2000
		top += thickness(i) / 1000
		soil, below := p.Soil, 0.0
		for _, l := range p.Layers {
			if soil, below = l.Soil, below+l.Thickness; middle <= below {
				break
			}
		}
		list[i] = newGround(soil)
	}
	return list
}

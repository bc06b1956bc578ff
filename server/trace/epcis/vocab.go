package epcis

import "strings"

// The vocabularies of CBV 2.0, as the EPCIS 2.0.1 schema lists them, between blanks.
const (
	bizSteps = " accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting decommissioning departing destroying" +
		" disassembling dispensing encoding entering_exiting holding inspecting installing killing loading other packing picking receiving removing repackaging" +
		" repairing replacing reserving retail_selling shipping staging_outbound stock_taking stocking storing transporting unloading unpacking void_shipping" +
		" sensor_reporting sampling "
	dispositions = " active container_closed damaged destroyed dispensed disposed encoded expired in_progress in_transit inactive no_pedigree_match non_sellable_other" +
		" partially_dispensed recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen unknown available completeness_verified" +
		" completeness_inferred conformant container_open mismatch_instance mismatch_class mismatch_quantity needs_replacement non_conformant unavailable "
	transactionTypes = " bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt "
	partyTypes       = " owning_party possessing_party location "
	errorReasons     = " did_not_occur incorrect_data "
	components       = " x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting northing latitude longitude altitude "
	exceptions       = " ALARM_CONDITION ERROR_CONDITION "
	measurements     = " AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Radioactivity Altitude AmountOfSubstance AmountOfSubstancePerUnitVolume Angle" +
		" AngularAcceleration AngularMomentum AngularVelocity Area Capacitance Conductance Conductivity Count Density Dimensionless DoseEquivalent" +
		" DoseEquivalentRate DynamicViscosity ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency" +
		" Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux LuminousIntensity MagneticFlux" +
		" MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy" +
		" MolarMass MolarVolume Power Pressure RadiantFlux RadiantIntensity RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed" +
		" SurfaceDensity SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber "
)

// vocabulary is a list of words, and how they are written as a URI.
type vocabulary struct {
	words, root, urn string
}

// The roots under which the words are URIs: GS1's, as the EPCIS context has them.
const (
	cbvRoot = "https://ref.gs1.org/cbv/"
	vocRoot = "https://gs1.org/voc/"
)

func steps() vocabulary {
	return vocabulary{bizSteps, cbvRoot + "BizStep-", "urn:epcglobal:cbv:bizstep:"}
}

func disposed() vocabulary {
	return vocabulary{dispositions, cbvRoot + "Disp-", "urn:epcglobal:cbv:disp:"}
}

func transactions() vocabulary {
	return vocabulary{transactionTypes, cbvRoot + "BTT-", "urn:epcglobal:cbv:btt:"}
}

func parties() vocabulary { return vocabulary{partyTypes, cbvRoot + "SDT-", "urn:epcglobal:cbv:sdt:"} }

func reasons() vocabulary { return vocabulary{errorReasons, cbvRoot + "ER-", "urn:epcglobal:cbv:er:"} }

func axes() vocabulary     { return vocabulary{components, cbvRoot + "Comp-", ""} }
func alerts() vocabulary   { return vocabulary{exceptions, vocRoot, ""} }
func measured() vocabulary { return vocabulary{measurements, vocRoot, ""} }

// has reports whether a word is one of the vocabulary's.
func (v vocabulary) has(word string) bool {
	return word != "" && !strings.Contains(word, " ") && strings.Contains(v.words, " "+word+" ")
}

// URI returns a word as its URI; what is none of the vocabulary's words stays as it is.
func (v vocabulary) uri(word string) string {
	if v.has(word) {
		return v.root + word
	}
	if bare, ok := v.bare(word); ok {
		return v.root + bare
	}
	return word
}

// bare returns the word that a name of GS1's spells, whichever of its namespaces it is written under; ok is false for others.
func (v vocabulary) bare(name string) (word string, ok bool) {
	if rest, cut := strings.CutPrefix(name, v.urn); cut && v.urn != "" {
		return rest, true
	}
	if strings.HasPrefix(name, "urn:epcglobal:cbv:") {
		return "", true
	}
	kind := strings.TrimPrefix(strings.TrimPrefix(v.root, cbvRoot), vocRoot)
	_, path, isURL := strings.Cut(name, "://")
	if isURL {
		name = path
	}
	for _, space := range []string{
		"cbv:", "gs1:", "ref.gs1.org/cbv/", "ns.gs1.org/cbv/", "ref.gs1.org/voc/", "ns.gs1.org/voc/", "gs1.org/voc/", "www.gs1.org/voc/",
	} {
		if rest, cut := strings.CutPrefix(name, space); cut && isURL == strings.Contains(space, "/") {
			return strings.TrimPrefix(rest, kind), true
		}
	}
	return "", false
}

// fault says what is wrong with a word of the vocabulary, or a URI in its place; "" when nothing is. A URI of GS1's must be one of the words,
// whichever of GS1's hosts it is written under: the schema lets a misspelt one under ref.gs1.org pass.
func (v vocabulary) fault(word string) string {
	if v.has(word) {
		return ""
	}
	if bare, ok := v.bare(word); ok {
		if v.has(bare) {
			return ""
		}
		return "no such word in GS1's vocabulary"
	}
	if !isURI(word) {
		return "neither a word of GS1's vocabulary nor a URI of one's own"
	}
	return ""
}

// isURI reports whether s is an absolute URI or a CURIE.
func isURI(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || rest == "" || strings.ContainsAny(s, " \t\r\n<>\"{}|\\^`") {
		return false
	}
	for i, r := range scheme {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-._", r)) {
			return false
		}
	}
	return true
}

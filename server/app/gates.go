package app

import (
	"strconv"

	"aovuon/server/diary/assess"
	"aovuon/server/diary/gate"
)

// GatesConfig is what the co-op decides of the rules that judge its diary; server/diary/gate says why each default.
type GatesConfig struct {
	DriftM        float64 `yaml:"drift_m"`         // pyrethroids sprayed nearer to a pond than so many metres warn
	WaterTestDays int     `yaml:"water_test_days"` // longest time between two water tests of a pond; 0: none are asked for
}

func defaultGates() GatesConfig {
	d := gate.Defaults()
	return GatesConfig{DriftM: d.DriftM, WaterTestDays: d.WaterTestDays}
}

// check finds settings that cannot be meant.
func (g GatesConfig) check() *keyError {
	switch {
	case !(g.DriftM >= 0 && g.DriftM <= 5000):
		return &keyError{"gates.drift_m", strconv.FormatFloat(g.DriftM, 'g', -1, 64), "write metres, 0 to 5000, such as 50"}
	case g.WaterTestDays < 0 || g.WaterTestDays > 90:
		return &keyError{"gates.water_test_days", strconv.Itoa(g.WaterTestDays), "write days, 1 to 90, or 0 for never"}
	}
	return nil
}

// assessor judges what is on record.
func assessor(d deps) *assess.Assessor {
	g := d.config.Gates
	return &assess.Assessor{Book: d.db, History: d.history, Calibrations: d.db, Settings: gate.Settings{DriftM: g.DriftM, WaterTestDays: g.WaterTestDays}, Now: d.now}
}

// Package capacitive turns the voltage of a capacitive soil probe into volumetric water content: an analog input comes
// in, soil moisture goes out.
//
// Sources: DFRobot SEN0193 (a 555 timer whose output FALLS as the soil gets wetter) and its calibration page, whose
// example readings of a 10-bit converter at 5 V, 520 in air and 260 in water, are the end points used while a probe is
// not calibrated; miltschek.de 2022 and neupokoev.xyz on how much batches differ. So a value is good only after a
// calibration in the soil the probe stands in; before that it is marked uncalibrated.
//
// The line through the two points is not cut off at 0 or 100 %: a value beyond them says that the calibration does not
// fit, and the reading is then marked out-of-range by the limits of the quantity.
package capacitive

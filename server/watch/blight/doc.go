// Package blight says when potato has to be sprayed against late blight (mốc sương, Phytophthora infestans), and why.
//
// Hourly means of air temperature and humidity over a plot, its season and variety, and what the diary says of sprays, rain and disease come
// in; days with the indices of Hutton, Smith, Wallin/BLITECAST and SIMCAST go out, and a rule.Decision for each plot. What was not measured is
// unknown, never safe. Formulas, their sources and what is a choice of this project stand in the README. No SQL, no HTTP, no clock.
package blight

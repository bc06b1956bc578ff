// Package world is the field the simulated chips stand in: weather, ponds and soil of the Red River delta.
//
// A place, a quantity and an instant come in; a physical value goes out. The world has no state: every value is a pure
// function of (seed, place, quantity, instant). So a season made faster than real time and the live field that follows
// it agree, a restart goes on where the last run was, and a test can ask for any instant of any year.
//
// The model is deliberately small: daily curves whose turning points are right, seasons from monthly normals, and slow
// smooth noise for the weather. Whoever replaces it keeps World.Value.
package world

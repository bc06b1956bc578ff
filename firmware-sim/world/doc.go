// Package world is the field the simulated chips stand in: weather, ponds, soil and a drying room of the Red River delta.
//
// A seed, a day to begin with, places and actions come in; physical values of any place at any instant go out. The same of these
// always make the same world, bit by bit, whatever was asked before and whenever an action was told: so a season made faster than
// real time and the live field that follows it agree, a restart goes on where the last run was, and a test can ask for any
// instant of any year.
//
// Each place has a model, which integrates its state step by step under the weather; the engine (course) keeps a state a day and
// the nodes of some days, and joins them by straight lines.
package world

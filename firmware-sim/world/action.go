package world

import "time"

// Action is something that people (or, without a place, the weather) do to the world.
type Action struct {
	At     time.Time
	Place  string // empty: the weather over the whole field
	Kind   ActionKind
	Amount float64       // in the kind's unit
	For    time.Duration // how long it lasts; 0 for what happens at once
	What   string        // the product or species, where it matters
	By     string        // who says so: a person, a script, an entry of the diary
}

// ActionKind is what is done.
type ActionKind string

// What is done to ponds.
const (
	Stock   ActionKind = "stock"   // Amount kg of fish put in; What: the pond's species, or nothing
	Harvest ActionKind = "harvest" // Amount kg of fish taken out, or t/ha of a crop; 0: all
	Feed    ActionKind = "feed"    // Amount kg of feed
	Treat   ActionKind = "treat"   // Amount kg of What: lime, probiotic, alum, copper (kills algae), salt, or "other …": it changes nothing
	Aerate  ActionKind = "aerate"  // Amount is k of the oxygen's way to saturation, 1/h; 0: off. It holds until the next of the same What (which aerator), or for For; several add up
	Fill    ActionKind = "fill"    // Amount cm of river water, over For; without it, as fast as the pump can
	Drain   ActionKind = "drain"   // Amount cm let out, over For or as fast as the sluice can; on a plot: the ditch is opened (1) or closed (0)
)

// What is done to plots and rooms.
const (
	Irrigate  ActionKind = "irrigate"  // Amount mm, over For
	Plant     ActionKind = "plant"     // What: potato, herb, rice
	Fertilise ActionKind = "fertilise" // Amount kg/ha of What: nitrogen, phosphorus, potassium, manure
	Load      ActionKind = "load"      // Amount kg of wet goods on the trays; What: banh-da, herb
	Heat      ActionKind = "heat"      // the room is held at Amount °C, for For
	Unload    ActionKind = "unload"    // the goods leave the room
)

// What the weather does, over the natural weather of the seed.
const (
	Rainfall ActionKind = "rain"      // Amount mm, over For
	Overcast ActionKind = "overcast"  // the sky covered to Amount (0 to 1), for For
	ColdSnap ActionKind = "cold-snap" // the air Amount °C colder, coming and going within half a day, for For
	HeatWave ActionKind = "heat-wave" // the air Amount °C warmer, for For
	Typhoon  ActionKind = "typhoon"   // wind of Amount m/s at its height, rain and low pressure, for For
	Calm     ActionKind = "calm"      // wind below 0.5 m/s, for For
	Drizzle  ActionKind = "drizzle"   // the fine rain of late winter: air near saturation day and night, for For
)

package world

// overlay is the weather that one action lays over that of the seed. Nothing of it is there before the action begins.
type overlay struct {
	spell
	kind  ActionKind
	storm pulse // a typhoon's
}

// over returns what an action lays over the weather.
func over(a Action) overlay {
	from, lasts := hoursOf(a.At), a.For.Hours()
	up, down := 0.5, 0.5
	switch a.Kind { //nolint:exhaustive // those of places are none of the weather
	case ColdSnap, HeatWave:
		up, down = 12, 12
	case Drizzle:
		up, down = 2, 4
	case Calm, Rainfall:
		up, down = 0.25, 0.5
	}
	return overlay{spell{from, from + lasts, up, down, a.Amount}, a.Kind, pulse{from, lasts, a.Amount}}
}

// reaches reports whether it does anything between from and to.
func (o overlay) reaches(from, to float64) bool { return o.from < to && o.to+o.down > from }

package field

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/firmware-sim/control"
	"aovuon/firmware-sim/world"
)

// verbs are the commands of the world: world/FORMAT.md.
func (f *Field) verbs() []control.Verb {
	act := control.Verb{Name: "act", Usage: []string{
		"act feed PLACE KG - fish of a pond are fed",
		"act stock PLACE KG - fish are put in",
		"act harvest PLACE [AMOUNT] - kg of fish, or t/ha of a crop; without it all",
		"act treat PLACE KG lime|probiotic|alum|copper|salt - something is put into a pond",
		"act aerate PLACE RATE [for HOURS] - k of the oxygen's way to saturation, 1/h; 0: off",
		"act fill PLACE CM [for HOURS] - river water is let into a pond",
		"act drain PLACE CM [for HOURS] - water is let out of a pond",
		"act drain PLACE 1|0 - the ditch of a plot is opened, or closed",
		"act irrigate PLACE MM for HOURS - a plot gets water",
		"act plant PLACE potato|herb|rice - a crop is planted",
		"act fertilise PLACE KG nitrogen|phosphorus|potassium|manure - kg/ha",
		"act load PLACE KG banh-da|herb - wet goods are put into a drying room",
		"act heat PLACE CELSIUS for HOURS - the room is heated",
		"act unload PLACE - the goods are taken out",
		"act rain MM for HOURS - it rains",
		"act overcast SHARE for HOURS - that share of the sky is covered, 0 to 1",
		"act cold-snap CELSIUS for HOURS - so much colder",
		"act heat-wave CELSIUS for HOURS - so much warmer",
		"act typhoon SPEED for HOURS - m/s of wind at its height",
		"act calm for HOURS - no wind",
		"act drizzle for HOURS - mưa phùn",
	}}
	act.Do = func(_ context.Context, args []string) ([]string, error) {
		if len(args) == 0 {
			return nil, act.Want()
		}
		a, err := action(args)
		if err != nil {
			return nil, err
		}
		return nil, f.Act(a)
	}
	actions := control.Verb{Name: "actions", Usage: []string{"actions - what was done to the world, in the order of its time"}}
	actions.Do = func(_ context.Context, args []string) ([]string, error) {
		if len(args) != 0 {
			return nil, actions.Want()
		}
		return f.told()
	}
	return []control.Verb{act, actions}
}

// told lists the actions, a line of the journal each.
func (f *Field) told() (lines []string, err error) {
	for _, a := range f.world.Actions() {
		line, err := a.MarshalJSON()
		if err != nil {
			return nil, err
		}
		lines = append(lines, string(line))
	}
	return lines, nil
}

// action reads the words of a command: KIND [PLACE] [AMOUNT] [WHAT], then for HOURS, what WHAT and at TIME in any order, and at last
// by WHO, a name of any number of words. The weather has no place, or "-". What stands before values may be written as an option,
// too (--for 2h).
func action(words []string) (world.Action, error) {
	a := world.Action{Kind: world.ActionKind(words[0])}
	words = words[1:]
	if !slices.Contains(world.ActionKinds(""), a.Kind) && len(words) > 0 && words[0] != "-" {
		a.Place, words = words[0], words[1:]
	}
	for n := 0; len(words) > 0; n++ {
		word := words[0]
		if set := option(word); set != nil {
			if len(words) < 2 {
				return a, fmt.Errorf("act: %s what? it stands at the end of the line", word)
			}
			if strings.HasSuffix(word, byWhom) {
				words = []string{word, strings.Join(words[1:], " ")}
			}
			if err := set(&a, words[1]); err != nil {
				return a, err
			}
			words = words[2:]
			continue
		}
		v, err := strconv.ParseFloat(word, 64)
		switch {
		case n == 0 && word == "-": // the weather's place
			n--
		case err == nil && n == 0 && !math.IsNaN(v):
			a.Amount = v
		case err != nil && a.What == "":
			a.What = word
		default:
			return a, fmt.Errorf("act: %q: want KIND [PLACE] [AMOUNT] [WHAT] [for HOURS] [at TIME] [by WHO]; help act says more", word)
		}
		words = words[1:]
	}
	return a, nil
}

// byWhom stands before a name, which may have blanks.
const byWhom = "by"

// option is what a word of the line sets by the one after it; nil for other words.
func option(word string) func(a *world.Action, v string) error {
	switch strings.TrimPrefix(word, "--") {
	case "for":
		return func(a *world.Action, v string) (err error) {
			a.For, err = lasting(v)
			return err
		}
	case "what":
		return func(a *world.Action, v string) error {
			a.What = v
			return nil
		}
	case byWhom:
		return func(a *world.Action, v string) error {
			a.By = v
			return nil
		}
	case "at":
		return func(a *world.Action, v string) (err error) {
			if a.At, err = time.Parse(time.RFC3339, v); err != nil {
				return fmt.Errorf("act: at %q: want a time, such as 2026-11-25T05:00:00+07:00", v)
			}
			return nil
		}
	}
	return nil
}

// lasting reads a duration; a number alone is hours.
func lasting(v string) (time.Duration, error) {
	if hours, err := strconv.ParseFloat(v, 64); err == nil && math.Abs(hours) < 1e6 {
		return time.Duration(hours * float64(time.Hour)), nil
	}
	d, err := time.ParseDuration(v)
	if err != nil {
		return 0, fmt.Errorf("act: for %q: want hours, or a duration such as 90m", v)
	}
	return d, nil
}

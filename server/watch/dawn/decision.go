package dawn

import (
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

// method is where the forecast comes from.
func method() farm.Text {
	return farm.Text{
		VI: "mô hình hô hấp và khuếch tán của cả ao (Madenjian 1987) với số đo sau hoàng hôn của chính ao này",
		EN: "whole-pond respiration and diffusion (Madenjian 1987) from this pond's own readings after dusk",
	}
}

// oxygen is a measured value; about is one that is reckoned, or set: a second decimal would promise too much.
func oxygen(v float64) rule.Arg { return rule.Value(measure.DissolvedOxygen, v) }
func about(v float64) rule.Arg  { return rule.Number(v, 1, "mg/L") }

// decision says an Outlook as a rule does.
func (o Outlook) decision() rule.Decision {
	d := rule.Decision{Rule: Topic, Place: o.Place, Topic: Topic, Verdict: rule.Calm, At: o.At, Until: o.At.Add(worth), Source: method()}
	because := func(key string, args ...rule.Arg) { d.Why = append(d.Why, rule.Because(key, args...)) }
	switch o.Outcome.State {
	case Ready:
		o.say(&d)
	case Day:
		if o.Last.Day != "" && o.At.Sub(o.Last.LowestAt) < 24*time.Hour {
			because("dawn_lowest", oxygen(o.Last.Lowest), rule.At(o.Last.LowestAt))
		}
		if begin := o.Night.Begin().Add(least); begin.After(o.At) { // after sunrise the next is this evening's, which this night does not know
			because("dawn_next", rule.At(begin))
		}
		if len(d.Why) == 0 {
			because("dawn_day")
		}
	case Early:
		because("dawn_early", rule.At(o.Night.Dusk), rule.At(o.Night.Begin().Add(least)))
	case Aerating:
		d.Verdict = rule.Notice
		because("dawn_aerating", rule.At(o.Outcome.Since))
	case Silent:
		d.Verdict = rule.Unknown
		if o.Outcome.Since.IsZero() {
			because("dawn_nothing")
		} else {
			because("dawn_silent", rule.At(o.Outcome.Since))
		}
		d.Do = append(d.Do, rule.Because("dawn_measure"))
	case Short:
		d.Verdict = rule.Unknown
		because("dawn_short", rule.Number(float64(o.Outcome.Samples), 0, ""), rule.At(o.Outcome.Since))
		d.Do = append(d.Do, rule.Because("dawn_measure"))
	}
	for _, f := range o.Flags {
		because(f.Key, f.Args...)
		if rule.Notice.Worse(d.Verdict) {
			d.Verdict = rule.Notice
		}
	}
	if len(o.Flags) > 0 && !o.Act {
		d.Do = append(d.Do, rule.Because("dawn_look", rule.At(o.Night.Dawn().Add(-2*time.Hour))))
	}
	return d
}

// say explains a forecast, the gravest first.
func (o Outlook) say(d *rule.Decision) {
	because := func(key string, args ...rule.Arg) { d.Why = append(d.Why, rule.Because(key, args...)) }
	dawn, c := o.Night.Dawn(), o.Outcome.Curve
	low, margin := c.Respired(dawn), o.Score.Margin()
	switch {
	case low <= 0:
		because("dawn_gone", rule.At(dawn), about(o.Set))
	case o.Act:
		because("dawn_low", rule.At(dawn), about(low), about(margin), about(o.Set))
	default:
		because("dawn_fine", rule.At(dawn), about(low), about(margin), about(o.Set))
	}
	switch {
	case o.Act && o.TurnOn.IsZero():
		d.Verdict, d.Do = rule.Warn, append(d.Do, rule.Because("dawn_again", rule.At(dawn.Add(-time.Hour))))
	case o.Act && !o.TurnOn.After(o.At):
		d.Verdict, d.Do = rule.Warn, append(d.Do, rule.Because("dawn_on_now", about(o.Off)))
	case o.Act:
		d.Verdict, d.Do = rule.Warn, append(d.Do, rule.Because("dawn_on", rule.At(o.TurnOn), about(o.Off)))
	case o.Low() < o.Set:
		d.Verdict, d.Do = rule.Notice, append(d.Do, rule.Because("dawn_again", rule.At(dawn.Add(-2*time.Hour))))
	}
	if c.Slope < 0 {
		because("dawn_falls", oxygen(c.Now), oxygen(-c.Slope))
	} else {
		because("dawn_holds", oxygen(c.Now))
	}
	if c.K == 0 {
		because("dawn_line")
	}
	if o.Score.Nights < priorNights {
		because("dawn_prior", rule.Number(float64(o.Score.Nights), 0, ""), about(priorError))
	} else {
		because("dawn_score", rule.Number(float64(o.Score.Nights), 0, ""), about(o.Score.MAE))
	}
}

// Words returns the keys of the locales that the decisions ask for.
func Words() []string {
	out := []string{"rule." + Topic, "topic." + Topic}
	for _, k := range []string{
		"gone", "low", "fine", "falls", "holds", "line", "prior", "score", "lowest", "next", "day", "early", "aerating", "silent", "nothing", "short",
		"overcast", "rain", "gasping", "colour", "cooling",
	} {
		out = append(out, "why.dawn_"+k)
	}
	for _, k := range []string{"on", "on_now", "again", "look", "measure"} {
		out = append(out, "do.dawn_"+k)
	}
	return out
}

package alarm

import (
	"context"
	"fmt"
	"time"

	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

// KitID is the Looker of what people measure with kits.
const KitID = "kit"

const (
	// kitFresh is how old an entry may be to raise an alarm: one that a phone sends a week late says nothing of now.
	kitFresh = 48 * time.Hour
	// kitHolds is how long an entry stands for what it measured.
	kitHolds = 7 * 24 * time.Hour
	kitEvery = 15 * time.Second
)

// Test is an entry of the diary about water that was measured with a kit.
type Test struct {
	Place  string
	At     time.Time // when it was measured
	Values map[string]float64
}

// Kit judges each entry once against the limits of its place's profile: it stands until the next one, a week at most.
type Kit struct {
	register Register
	tests    func(ctx context.Context, from time.Time) ([]Test, error)

	asked    time.Time
	farm     *farm.Farm
	versions map[string]int64
	newest   map[Key]tested
}

// tested is the newest value of a parameter at a place.
type tested struct {
	at    time.Time
	value float64
}

// NewKit returns the Looker. tests returns the entries from a time on, as they stand after corrections, in any order.
func NewKit(register Register, tests func(ctx context.Context, from time.Time) ([]Test, error)) *Kit {
	return &Kit{register: register, tests: tests}
}

// ID implements Looker.
func (*Kit) ID() string { return KitID }

// Look implements Looker.
func (k *Kit) Look(ctx context.Context, now time.Time) ([]Finding, error) {
	if err := k.refresh(ctx, now); err != nil {
		return nil, err
	}
	var out []Finding
	for _, p := range k.farm.Places {
		for _, parameter := range farm.KitParameters() {
			limits := k.farm.LimitsAbout(p, func(l farm.Limit) bool { return l.What == farm.OfKit && string(l.Quantity) == parameter.Key })
			if len(limits) > 0 {
				out = append(out, k.judge(p, parameter, limits, now))
			}
		}
	}
	return out, nil
}

func (k *Kit) refresh(ctx context.Context, now time.Time) error {
	if !k.asked.IsZero() && now.Sub(k.asked) < kitEvery && !now.Before(k.asked) {
		return nil
	}
	f, err := k.register.Farm(ctx)
	if err != nil {
		return fmt.Errorf("alarm: register: %w", err)
	}
	versions, err := k.register.LimitVersions(ctx)
	if err != nil {
		return fmt.Errorf("alarm: register: %w", err)
	}
	tests, err := k.tests(ctx, now.Add(-kitHolds))
	if err != nil {
		return fmt.Errorf("alarm: water tests: %w", err)
	}
	newest := map[Key]tested{}
	for _, t := range tests {
		for key, v := range t.Values {
			k := Key{t.Place, key}
			if old, there := newest[k]; !there || t.At.After(old.at) {
				newest[k] = tested{t.At, v}
			}
		}
	}
	k.farm, k.versions, k.newest, k.asked = f, versions, newest, now
	return nil
}

func (k *Kit) judge(p farm.Place, parameter farm.KitParameter, limits []farm.Limit, now time.Time) Finding {
	f := Finding{Key: Key{p.Code, limits[0].Topic()}, Sign: Clear}
	name := rule.Word("field." + parameter.Key)
	d := rule.Decision{Rule: KitID, Place: p.Code, Topic: f.Topic, Verdict: rule.Calm, At: now, Profile: p.Profile, Version: k.versions[p.Profile]}
	test, there := k.newest[Key{p.Code, parameter.Key}]
	if there && now.Sub(test.at) >= kitHolds {
		there = false
	}
	number := func(v float64) rule.Arg { return rule.Number(v, parameter.Decimals, parameter.Unit) }
	if !there {
		d.Verdict, d.Why = rule.Unknown, []rule.Reason{rule.Because("kit_outdated", name, rule.For(kitHolds))}
		f.Explain = func() rule.Decision { return d }
		return f
	}
	d.Why = []rule.Reason{rule.Because("kit_within", name, number(test.value), rule.At(test.at))}
	for _, l := range limits { // the gravest first
		switch {
		case l.Broken(test.value) && f.Sign < Beyond:
			key := "kit_below"
			if l.Above {
				key = "kit_above"
			}
			d.Verdict, d.Source = verdict(l.Level), l.Source
			d.Why = []rule.Reason{rule.Because(key, name, number(test.value), number(l.Value), rule.At(test.at))}
			d.Do = kitAdvice(parameter.Key)
			if f.Sign, f.Level, f.Began = Exceeded, d.Verdict, test.at; now.Sub(test.at) > kitFresh {
				f.Sign = Band // it keeps an alarm that it raised, and raises none
			}
		case !l.Cleared(test.value) && f.Sign == Clear:
			f.Sign = Band
		}
		if f.Sign == Exceeded {
			break
		}
	}
	f.Explain = func() rule.Decision { return d }
	return f
}

// kitAdvice says what to do about what a kit found.
func kitAdvice(key string) []rule.Reason {
	switch key {
	case "nh3", "no2", "h2s":
		return []rule.Reason{rule.Because("stop_feeding"), rule.Because("change_water"), rule.Because("aerate")}
	case "transparency":
		return []rule.Reason{rule.Because("feed_less"), rule.Because("change_water")}
	}
	return []rule.Reason{rule.Because("test_again")}
}

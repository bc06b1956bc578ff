package soil

import (
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

// The topics.
const (
	Irrigation   = "irrigation"
	Drought      = "drought"
	Waterlogging = "waterlogging"
)

// ID names the rule.
const ID = "soil"

// rainDays are those whose rain is told.
const rainDays = 3 * 24 * time.Hour

// validFor is how long a decision is worth something.
const validFor = 2 * time.Hour

func source() farm.Text {
	return farm.Text{VI: "FAO-56 (Tổ chức Nông lương LHQ), độ ẩm đo tại ruộng", EN: "FAO-56, with moisture measured in the field"}
}

func guide() farm.Text {
	return farm.Text{VI: "hướng dẫn khoai tây vụ đông tỉnh Nam Định", EN: "Nam Dinh province's guide to winter potato"}
}

func choice() farm.Text {
	return farm.Text{VI: "ngưỡng do phần mềm đề xuất: trên độ ẩm đồng ruộng 5 % trong 24 giờ", EN: "this project's choice: 5 % above field capacity for 24 hours"}
}

// Decisions returns what is to be said of a field: of irrigation and drought where a crop grows that this is for, of waterlogging always.
func (f *Field) Decisions() []rule.Decision {
	if f.Season != nil && f.Season.Flooded {
		return nil
	}
	out := []rule.Decision{f.irrigation(), f.drought(), f.waterlogging()}
	for i, d := range out {
		if f.Suspect && f.Lacks == "" && d.Verdict == rule.Calm && d.Source != guide() && d.Source != (farm.Text{}) { // what was read off the probe
			out[i].Verdict, out[i].Why = rule.Unknown, append([]rule.Reason{rule.Because("soil_suspect")}, d.Why...)
		}
	}
	return out
}

func (f *Field) decision(topic string, v rule.Verdict, source farm.Text, why ...rule.Reason) rule.Decision {
	return rule.Decision{Rule: ID, Place: f.Place.Code, Topic: topic, Verdict: v, At: f.At, Until: f.At.Add(validFor), Why: why, Source: source}
}

// unknown says what is missing, and what to do about it; ok is false where nothing is.
func (f *Field) unknown(topic string) (d rule.Decision, ok bool) {
	why, do := rule.Because("soil_"+string(f.Lacks)), rule.Because("soil_"+string(f.Lacks))
	switch f.Lacks {
	case "":
		return d, false
	case Silent:
		if !f.Newest.IsZero() {
			why = rule.Because("soil_silent_since", rule.At(f.Newest))
		}
	case NoProbe, NoGround, Moved:
	}
	d = f.decision(topic, rule.Unknown, farm.Text{}, why)
	d.Do = []rule.Reason{do}
	return d, true
}

// season says that nothing grows there; ok is false where something does.
func (f *Field) season(topic string) (d rule.Decision, ok bool) {
	switch {
	case f.Season != nil:
		return d, false
	case f.Fallow:
		return f.decision(topic, rule.Calm, farm.Text{}, rule.Because("soil_fallow")), true
	}
	d = f.decision(topic, rule.Unknown, farm.Text{}, rule.Because("soil_no_season"))
	d.Do = []rule.Reason{rule.Because("soil_no_season")}
	return d, true
}

func moisture(v float64) rule.Arg { return rule.Value(measure.SoilMoisture, v) }
func millimetres(v float64) rule.Arg {
	return rule.Number(v, 0, "mm")
}

// irrigation says when to give water, and how much.
func (f *Field) irrigation() rule.Decision {
	if d, ok := f.season(Irrigation); ok {
		return d
	}
	if f.Season.stopped(f.At) {
		return f.decision(Irrigation, rule.Calm, guide(), rule.Because("soil_stop", rule.Number(float64(f.Season.StopDays), 0, ""), rule.Day(f.Season.Harvest)))
	}
	if d, ok := f.unknown(Irrigation); ok {
		return d
	}
	if d, ok := f.leaking(Irrigation); ok {
		return d
	}
	v, why := f.due()
	d := f.decision(Irrigation, v, source(), append([]rule.Reason{why}, f.numbers()...)...)
	if v == rule.Notice {
		d.Do = f.give()
	}
	d.Do = append(d.Do, f.prompt()...)
	return d
}

// leaking says that the soil holds less than it is reckoned to: who waters by such numbers waters without end. ok is false where it does not.
func (f *Field) leaking(topic string) (d rule.Decision, ok bool) {
	if f.Leaks.IsZero() {
		return d, false
	}
	d = f.decision(topic, rule.Unknown, farm.Text{}, rule.Because("soil_leaks", rule.At(f.Leaks), moisture(f.Moisture), moisture(f.Holds.FieldCapacity)))
	d.Do = []rule.Reason{rule.Because("soil_leaks", moisture(f.Moisture))}
	return d, true
}

// due says whether, or when, the crop wants water.
func (f *Field) due() (rule.Verdict, rule.Reason) {
	switch {
	case f.Depleted >= f.RAW:
		return rule.Notice, rule.Because("soil_due", moisture(f.Moisture), moisture(f.Trigger), millimetres(f.Depleted))
	case f.Method == "":
		return rule.Calm, rule.Because("soil_enough_undated", moisture(f.Moisture), moisture(f.Trigger), millimetres(f.RAW-f.Depleted))
	case f.Days <= soon:
		return rule.Notice, rule.Because("soil_due_soon", moisture(f.Moisture), moisture(f.Trigger))
	case f.Days > 14: // farther than the weather of three days tells
		return rule.Calm, rule.Because("soil_enough_long", moisture(f.Moisture), moisture(f.Trigger))
	}
	return rule.Calm, rule.Because("soil_enough", moisture(f.Moisture), moisture(f.Trigger), rule.Number(f.Days, 0, ""), rule.Day(f.At.Add(time.Duration(f.Days*24*float64(time.Hour)))))
}

// give says how much water. Rain that fell since the newest reading is in nobody's number.
func (f *Field) give() []rule.Reason {
	mm := max(1, f.GiveMM)
	if f.GiveM3 > 0 {
		return []rule.Reason{rule.Because("soil_give", millimetres(mm), rule.Number(max(1, f.GiveM3), 0, "m³"))}
	}
	return []rule.Reason{rule.Because("soil_give_mm", millimetres(mm))}
}

// numbers are what the judgement rests on.
func (f *Field) numbers() []rule.Reason {
	out := []rule.Reason{rule.Because("soil_balance", millimetres(f.Depleted), millimetres(f.RAW), rule.Number(100*f.Roots, 0, "cm"))}
	if f.Method == "" {
		out = append(out, rule.Because("soil_no_air"))
	} else {
		out = append(out, rule.Because("soil_uses", rule.Number(f.ETc, 1, "mm"), rule.Number(f.ET0, 1, "mm"), rule.Number(f.Kc, 2, "")))
	}
	if w := f.Irrigated; w != nil {
		if w.MM > 0 {
			out = append(out, rule.Because("soil_irrigated_mm", rule.Day(w.At), millimetres(w.MM)))
		} else {
			out = append(out, rule.Because("soil_irrigated", rule.Day(w.At)))
		}
	}
	if mm, days := f.rained(rainDays); days > 0 {
		out = append(out, rule.Because("soil_rained", rule.For(rainDays), millimetres(mm)))
	}
	if f.Estimated {
		out = append(out, rule.Because("soil_estimated", rule.Word("option.soil_texture."+f.Place.Ground.Texture)))
	}
	if f.Replaced {
		out = append(out, rule.Because("soil_replaced"))
	}
	if f.Spread > mostSpread {
		out = append(out, rule.Because("soil_spread", moisture(f.Spread)))
	}
	if f.Season.Estimated {
		out = append(out, rule.Because("soil_harvest_estimated", rule.Day(f.Season.Harvest)))
	}
	if f.Season.Near {
		out = append(out, rule.Because("soil_crop_estimated", rule.Word("soil.crop."+f.Season.Key)))
	}
	return out
}

// prompt asks to read the field capacity, where nobody did, when the moment has come.
func (f *Field) prompt() []rule.Reason {
	if f.Estimated && f.Drained && !f.Suspect && f.Wet.Since.IsZero() {
		return []rule.Reason{rule.Because("soil_read_capacity", moisture(f.Moisture))}
	}
	return nil
}

// rained returns the rain that was written down in the last hours.
func (f *Field) rained(last time.Duration) (mm float64, times int) {
	for _, r := range f.Rain {
		if d := f.At.Sub(r.At); d >= 0 && d <= last {
			mm, times = mm+r.MM, times+1
		}
	}
	return mm, times
}

// drought says whether the crop suffers.
func (f *Field) drought() rule.Decision {
	if d, ok := f.season(Drought); ok {
		return d
	}
	if f.Season.stopped(f.At) {
		return f.decision(Drought, rule.Calm, guide(), rule.Because("soil_stop", rule.Number(float64(f.Season.StopDays), 0, ""), rule.Day(f.Season.Harvest)))
	}
	if d, ok := f.unknown(Drought); ok {
		return d
	}
	if d, ok := f.leaking(Drought); ok {
		return d
	}
	numbers := rule.Because("soil_balance", millimetres(f.Depleted), millimetres(f.RAW), rule.Number(100*f.Roots, 0, "cm"))
	var d rule.Decision
	switch {
	case f.Withers.confirmed(f.At, DryHours):
		d = f.decision(Drought, rule.Crit, source(), rule.Because("soil_withers", moisture(f.Moisture), moisture(f.Holds.WiltingPoint), rule.For(f.Withers.Lasts(f.At))), numbers)
	case f.Dry.confirmed(f.At, DryHours):
		d = f.decision(Drought, rule.Warn, source(), rule.Because("soil_dry", moisture(f.Moisture), rule.Number(100*(1-f.Stress), 0, "%"), rule.For(f.Dry.Lasts(f.At))), numbers)
	case f.Moisture < f.Trigger:
		d = f.decision(Drought, rule.Notice, source(), rule.Because("soil_below", moisture(f.Moisture), moisture(f.Trigger)), numbers)
	default:
		return f.decision(Drought, rule.Calm, source(), rule.Because("soil_no_want", moisture(f.Moisture), moisture(f.Trigger)))
	}
	d.Do = f.give()
	return d
}

// waterlogging says whether the soil is too full of water.
func (f *Field) waterlogging() rule.Decision {
	if d, ok := f.unknown(Waterlogging); ok {
		return d
	}
	limit := f.Holds.FieldCapacity + WetAbove
	var d rule.Decision
	switch {
	case f.Wet.confirmed(f.At, WetHours):
		d = f.decision(Waterlogging, rule.Warn, choice(), rule.Because("soil_wet", moisture(f.Moisture), moisture(limit), rule.For(f.Wet.Lasts(f.At))))
	case !f.Wet.Since.IsZero():
		d = f.decision(Waterlogging, rule.Notice, choice(), rule.Because("soil_wet_since", moisture(f.Moisture), moisture(limit), rule.At(f.Wet.Since)))
	case f.nearHarvest() && f.Moisture > f.Holds.FieldCapacity:
		d = f.decision(Waterlogging, rule.Notice, guide(), rule.Because("soil_wet_harvest", moisture(f.Moisture), moisture(f.Holds.FieldCapacity), rule.Day(f.Season.Harvest)))
	default:
		return f.decision(Waterlogging, rule.Calm, choice(), rule.Because("soil_not_wet", moisture(f.Moisture), moisture(limit)))
	}
	if mm, times := f.rained(rainDays); times > 0 {
		d.Why = append(d.Why, rule.Because("soil_rained", rule.For(rainDays), millimetres(mm)))
	}
	if f.Estimated {
		d.Why = append(d.Why, rule.Because("soil_estimated", rule.Word("option.soil_texture."+f.Place.Ground.Texture)))
	}
	d.Do = []rule.Reason{rule.Because("soil_drain")}
	return d
}

// nearHarvest reports whether a crop stands in its last weeks, when tubers rot in a wet soil.
func (f *Field) nearHarvest() bool { return f.Season != nil && f.Season.stopped(f.At) }

package farm

import (
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/form"
)

// RefQuantity is what a form.Field of something that is measured refers to.
const RefQuantity = "quantity"

// The sides of a limit.
const (
	below = "below"
	above = "above"
)

// eachValue is how forms and farm files call OfValue.
const eachValue = "value"

// LimitFields returns what a form asks of a limit.
func LimitFields() []form.Field {
	minutes := func(key string) form.Field {
		return form.Field{Key: key, Type: form.Number, Whole: true, Min: 0, Max: ForMost.Minutes()}
	}
	return []form.Field{
		{Key: "limit_profile", Type: form.Text, Required: true, Quick: true},
		{Key: "limit_quantity", Type: form.Ref, Of: RefQuantity, Required: true, Quick: true},
		{Key: "limit_side", Type: form.Choice, Options: []string{below, above}, Required: true, Quick: true},
		{Key: "limit_value", Type: form.Number, Min: -1e6, Max: 1e9, Required: true, Quick: true}, // in the quantity's unit
		{Key: "limit_level", Type: form.Choice, Options: []string{string(Warn), string(Crit)}, Required: true, Quick: true},
		{Key: "limit_source", Type: form.Text, Required: true, Quick: true},
		{Key: "limit_source_en", Type: form.Text},
		{Key: "limit_what", Type: form.Choice, Options: []string{eachValue, string(OfSwing), string(OfRate)}},
		{Key: "limit_clear", Type: form.Number, Min: -1e6, Max: 1e9},
		minutes("limit_for"), minutes("limit_keep"),
		{Key: "limit_count", Type: form.Number, Whole: true, Max: MMost},
		{Key: "limit_of", Type: form.Number, Whole: true, Max: MMost},
	}
}

// Values returns a limit as a form shows it.
func (l Limit) Values() form.Values {
	v := form.Values{
		"limit_profile": l.Profile, "limit_quantity": string(l.Quantity), "limit_side": below, "limit_value": l.Value, "limit_level": string(l.Level),
		"limit_source": l.Source.VI, "limit_source_en": l.Source.EN,
	}
	if l.Above {
		v["limit_side"] = above
	}
	if v["limit_what"] = eachValue; l.What == OfSwing || l.What == OfRate {
		v["limit_what"] = string(l.What)
	}
	if l.HasClear {
		v["limit_clear"] = l.Clear
	}
	for key, n := range map[string]float64{"limit_for": l.For.Minutes(), "limit_keep": l.Keep.Minutes(), "limit_count": float64(l.N), "limit_of": float64(l.M)} {
		if n != 0 {
			v[key] = n
		}
	}
	return v
}

// LimitOf returns the limit that a form says.
func LimitOf(v form.Values) Limit {
	number := func(key string) float64 { n, _ := v.Number(key); return n }
	l := Limit{
		Profile: v.Text("limit_profile"), Quantity: measure.Quantity(v.Text("limit_quantity")), Level: Level(v.Text("limit_level")), Above: v.Text("limit_side") == above,
		Value: number("limit_value"), Source: bilingual(v, "limit_source"), What: What(v.Text("limit_what")), N: int(number("limit_count")), M: int(number("limit_of")),
		For: time.Duration(number("limit_for") * float64(time.Minute)), Keep: time.Duration(number("limit_keep") * float64(time.Minute)),
	}
	if l.What == eachValue {
		l.What = OfValue
	}
	if _, kit := KitParameterOf(string(l.Quantity)); kit {
		l.What = OfKit
	}
	l.Clear, l.HasClear = v.Number("limit_clear")
	return l
}

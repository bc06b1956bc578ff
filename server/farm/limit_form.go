package farm

import (
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

// LimitFields returns what a form asks of a limit.
func LimitFields() []form.Field {
	return []form.Field{
		{Key: "limit_profile", Type: form.Text, Required: true, Quick: true},
		{Key: "limit_quantity", Type: form.Ref, Of: RefQuantity, Required: true, Quick: true},
		{Key: "limit_side", Type: form.Choice, Options: []string{below, above}, Required: true, Quick: true},
		{Key: "limit_value", Type: form.Number, Min: -1e6, Max: 1e9, Required: true, Quick: true}, // in the quantity's unit
		{Key: "limit_level", Type: form.Choice, Options: []string{string(Warn), string(Crit)}, Required: true, Quick: true},
		{Key: "limit_source", Type: form.Text, Required: true, Quick: true},
		{Key: "limit_source_en", Type: form.Text},
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
	return v
}

// LimitOf returns the limit that a form says.
func LimitOf(v form.Values) Limit {
	value, _ := v.Number("limit_value")
	return Limit{
		Profile: v.Text("limit_profile"), Quantity: measure.Quantity(v.Text("limit_quantity")), Level: Level(v.Text("limit_level")), Above: v.Text("limit_side") == above,
		Value: value, Source: bilingual(v, "limit_source"),
	}
}

package farm

import (
	"fmt"
	"time"

	"aovuon/gateway/measure"
)

func (b *builder) limits(rows []fileLimit) {
	for i, r := range rows {
		at := fmt.Sprintf("limits[%d]", i)
		l := Limit{Profile: r.Profile, Quantity: measure.Quantity(r.Quantity), Level: Level(r.Level), Source: r.Source, What: What(r.What), N: r.Count, M: r.Of}
		if !measure.ValidID(r.Profile, 40) {
			b.wrong(at+".profile", "%q is no profile name: use small letters, digits and hyphens", r.Profile)
		}
		if l.Level != Warn && l.Level != Crit {
			b.wrong(at+".level", "%q is no level: use warn or crit", r.Level)
		}
		b.text(at+".source", r.Source)
		if l.What == eachValue {
			l.What = OfValue
		}
		if l.What != OfValue && l.What != OfSwing && l.What != OfRate && l.What != OfKit {
			b.wrong(at+".what", "%q is nothing that limits are of: use swing, rate or kit, or leave it out for values", r.What)
			l.What = OfValue
		}
		if _, kit := KitParameterOf(r.Quantity); kit {
			l.What = OfKit
		}
		switch {
		case (r.Below == nil) == (r.Above == nil):
			b.wrong(at, "want exactly one of below and above")
		case r.Above != nil:
			l.Above, l.Value = true, *r.Above
		default:
			l.Value = *r.Below
		}
		l.For, l.Keep = b.duration(at+".for", r.For), b.duration(at+".keep", r.Keep)
		if r.Clear != nil {
			l.Clear, l.HasClear = *r.Clear, true
		}
		if key, problem := l.wrong(); problem != "" {
			if key != "" {
				key = "." + key
			}
			b.wrong(at+key, "%s", problem)
		}
		for _, o := range b.farm.Limits {
			if o.Profile == l.Profile && o.Quantity == l.Quantity && o.Level == l.Level && o.Above == l.Above && o.What == l.What {
				b.wrong(at, "profile %s has this limit of %s already: remove one", l.Profile, l.Quantity)
			}
		}
		b.farm.Limits = append(b.farm.Limits, l)
	}
}

// duration reads a length of time as Go writes it, 10m or 6h.
func (b *builder) duration(at, text string) time.Duration {
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d%time.Second != 0 {
		b.wrong(at, "%q is no length of time: write 3m, 30m or 6h, or leave it out for what is usual", text)
		return 0
	}
	return d
}

// fileDuration is the inverse of builder.duration.
func fileDuration(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

// rowOf is the inverse of builder.limits for one row.
func rowOf(l Limit) fileLimit {
	row := fileLimit{
		Profile: l.Profile, Quantity: string(l.Quantity), Level: string(l.Level), Source: l.Source, Below: &l.Value, For: fileDuration(l.For), Keep: fileDuration(l.Keep), Count: l.N, Of: l.M,
	}
	if l.Above {
		row.Below, row.Above = nil, &l.Value
	}
	if l.What != OfKit { // said by the quantity
		row.What = string(l.What)
	}
	if l.HasClear {
		row.Clear = &l.Clear
	}
	return row
}

package form

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Written returns the values of what people wrote: in a form of a page or in the cells of a table. get returns what stands under a key,
// nothing where it was left empty. Numbers are read as people write them in Viet Nam (1.234,5) and as programs do (1234.5), dates as
// dd/mm/yyyy and YYYY-MM-DD, moments as dd/mm/yyyy hh:mm at the co-op. What is wrong is said with what was written.
func Written(fields []Field, get func(key string) []string, zone *time.Location, exists Exists) (Values, Problems) {
	sent, bad := map[string]any{}, Problems(nil)
	for _, f := range fields {
		v, p := f.written(get(f.Key), zone)
		if p != nil {
			bad = append(bad, *p)
			continue
		}
		if v != nil {
			sent[f.Key] = v
		}
	}
	out, more := Check(fields, sent, exists)
	for _, p := range more { // one problem a field
		if !slices.ContainsFunc(bad, func(q Problem) bool { return q.Key == p.Key }) {
			bad = append(bad, p)
		}
	}
	return out, bad
}

func (f Field) written(raw []string, zone *time.Location) (any, *Problem) {
	var all []string
	for _, s := range raw {
		if s = strings.TrimSpace(s); s != "" {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return nil, nil //nolint:nilnil // left empty
	}
	if f.Repeat {
		return all, nil
	}
	s := all[0]
	switch f.Type {
	case Number:
		n, ok := ParseNumber(s)
		if !ok {
			return nil, f.problem(NoNumber, s)
		}
		return n, nil
	case Flag:
		return f.flag(s)
	case Date:
		t, ok := parseDay(s)
		if !ok {
			return nil, f.problem(NoDate, s)
		}
		return t.Format(time.DateOnly), nil
	case Moment:
		t, ok := parseMoment(s, zone)
		if !ok {
			return nil, f.problem(NoMoment, s)
		}
		return t.UTC().Format(time.RFC3339), nil
	case Text, Long, Choice, Ref:
	}
	return s, nil
}

func (f Field) flag(s string) (any, *Problem) {
	switch strings.ToLower(s) {
	case "1", "true", "yes", "on", "x", "có", "co":
		return true, nil
	case "0", "false", "no", "không", "khong":
		return false, nil
	}
	return nil, f.problem(NoFlag, s)
}

// ParseNumber reads a number as people write it here: 1.234,5 or 1234,5, and as programs do: 1234.5. One point followed by exactly three
// digits could be either; here it separates thousands only where a comma follows or there are several, since 1.234 kg of a drug is not a
// ton of it: "1.234" is refused, with ok false.
func ParseNumber(s string) (n float64, ok bool) {
	s = strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "").Replace(s)
	comma, points := strings.Count(s, ","), strings.Count(s, ".")
	switch {
	case comma > 1, comma == 1 && points > 0 && strings.LastIndex(s, ".") > strings.Index(s, ","):
		return 0, false
	case comma == 1:
		whole, frac, _ := strings.Cut(s, ",")
		if !thousands(whole) {
			return 0, false
		}
		s = strings.ReplaceAll(whole, ".", "") + "." + frac
	case points > 1:
		if !thousands(s) {
			return 0, false
		}
		s = strings.ReplaceAll(s, ".", "")
	case points == 1:
		whole, frac, _ := strings.Cut(s, ".")
		if len(frac) == 3 && strings.Trim(whole, "-0") != "" && len(strings.TrimPrefix(whole, "-")) <= 3 {
			return 0, false
		}
	}
	if s == "" || strings.Trim(s, "-0123456789.") != "" { // no exponents, no Inf, no hex
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

// thousands reports whether points in s separate groups of three digits.
func thousands(s string) bool {
	groups := strings.Split(strings.TrimPrefix(s, "-"), ".")
	if len(groups) == 1 {
		return true
	}
	for i, g := range groups {
		if (i == 0 && (len(g) < 1 || len(g) > 3)) || (i > 0 && len(g) != 3) {
			return false
		}
	}
	return true
}

func parseDay(s string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, "02/01/2006", "2/1/2006", "2-1-2006", "2.1.2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func parseMoment(s string, zone *time.Location) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, true
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2/1/2006 15:04", "2006-01-02 15:04", "2/1/2006", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

package web

import (
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/watch"
)

// madeFrom says what a value was made from: "tính với nhiệt độ nước 28,4 °C (12 giây trước đó); chưa lọc 6,35 mg/L". It is
// empty for a value that is as the probe gave it.
func madeFrom(w *words, v watch.Value) string {
	var parts []string
	if inputs, err := measure.ParseInputs(v.Inputs); err == nil && len(inputs) > 0 {
		var with []string
		for _, in := range inputs {
			with = append(with, inputText(w, in))
		}
		parts = append(parts, w.t("made.with", strings.Join(with, ", ")))
	}
	if v.Filtered {
		parts = append(parts, w.t("made.raw", w.valueUnit(v.Quantity, v.Raw)))
	}
	return strings.Join(parts, "; ")
}

func inputText(w *words, in measure.Input) string {
	text := lowerFirst(w.t("quantity."+string(in.Quantity))) + " " + w.valueUnit(in.Quantity, in.Value)
	switch {
	case in.Sensor == "" && in.Assumed:
		return w.t("made.assumed", text)
	case in.Sensor == "", !in.Assumed && in.Age < time.Second: // a number of the configuration; measured together
		return text
	case in.Assumed:
		return w.t("made.old", text, w.before(in.Age))
	}
	return w.t("made.age", text, w.before(in.Age))
}

// before writes how much older one measurement is than another, which is often less than a minute.
func (w *words) before(d time.Duration) string {
	if d < time.Minute {
		return w.amount("for.seconds", int64(d/time.Second))
	}
	return w.length(d)
}

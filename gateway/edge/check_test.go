package edge_test

import (
	"strings"
	"testing"
	"time"

	"aovuon/gateway/edge"
	"aovuon/gateway/measure"
)

func TestCheck_SaysWhatWhereAndHowToMend(t *testing.T) {
	alarm := func(change func(*edge.Alarm)) func(*edge.Config) {
		return func(c *edge.Config) { change(&c.Alarms[0]) }
	}
	quat := func(change func(*edge.Aerator)) func(*edge.Config) {
		return func(c *edge.Config) { change(&c.Aerators[0]) }
	}
	for name, tc := range map[string]struct {
		change     func(*edge.Config)
		path, says string
	}{
		"no id":           {quat(func(a *edge.Aerator) { a.ID = "" }), "aerators[0]", "no id"},
		"bad id":          {quat(func(a *edge.Aerator) { a.ID = "Quat" }), "aerators[0].id", "bad id"},
		"a sensor's id":   {quat(func(a *edge.Aerator) { a.ID = "ao1-do" }), "aerators[0].id", "sensor already"},
		"id twice":        {alarm(func(a *edge.Alarm) { a.ID = "ao1-quat" }), "alarms[0].id", "aerators[0] already"},
		"no pin":          {quat(func(a *edge.Aerator) { a.Relay.Pin = "" }), "aerators[0].relay", "no pin"},
		"contact":         {quat(func(a *edge.Aerator) { a.Relay.Contact = "NO" }), "aerators[0].relay.contact", "write no"},
		"no oxygen":       {quat(func(a *edge.Aerator) { a.Oxygen = "" }), "aerators[0]", "no oxygen"},
		"unknown sensor":  {quat(func(a *edge.Aerator) { a.Oxygen = "ao9-do" }), "aerators[0].oxygen", "no sensor"},
		"another probe":   {quat(func(a *edge.Aerator) { a.Oxygen = "ao1-temp" }), "aerators[0].oxygen", "it measures water_temperature"},
		"quantity":        {quat(func(a *edge.Aerator) { a.Quantity = measure.PH }), "aerators[0].quantity", "oxygen_saturation"},
		"on":              {quat(func(a *edge.Aerator) { a.OnBelow = 0 }), "aerators[0].on_below", "4.0"},
		"off":             {quat(func(a *edge.Aerator) { a.OffAbove = 4 }), "aerators[0].off_above", "more than on_below"},
		"trust":           {quat(func(a *edge.Aerator) { a.Trust = "fault" }), "aerators[0].trust", "suspect"},
		"max run":         {quat(func(a *edge.Aerator) { a.MaxRun = time.Minute }), "aerators[0].max_run", "30m0s"},
		"max run no rest": {quat(func(a *edge.Aerator) { a.MaxRun, a.MinRest = time.Hour, new(time.Duration(0)) }), "aerators[0].max_run", "min_rest"},
		"min run":         {quat(func(a *edge.Aerator) { a.MinRun = new(13 * time.Hour) }), "aerators[0].min_run", "12h"},
		"window":          {quat(func(a *edge.Aerator) { a.Always = []string{"22:00-06:00", "22h-6h"} }), "aerators[0].always[1]", "22:00-06:00"},
		"empty window":    {quat(func(a *edge.Aerator) { a.Always = []string{"22:00-22:00"} }), "aerators[0].always[0]", "begins when it ends"},
		"rhythm":          {quat(func(a *edge.Aerator) { a.FailSafe = &edge.Duty{Run: 10 * time.Minute, Rest: 10 * time.Minute} }), "aerators[0].failsafe", "min_run"},
		"rhythm of 0":     {quat(func(a *edge.Aerator) { a.FailSafe = &edge.Duty{Rest: 10 * time.Minute} }), "aerators[0].failsafe.run", "from 1m0s"},
		"current sensor":  {quat(func(a *edge.Aerator) { a.Current = &edge.Current{Sensor: "ao1-do", Above: 1} }), "aerators[0].current.sensor", "current"},
		"current":         {quat(func(a *edge.Aerator) { a.Current = &edge.Current{Sensor: "ao1-dong"} }), "aerators[0].current.above", "half"},
		"pin twice":       {func(c *edge.Config) { c.Aerators = append(c.Aerators, c.Aerators[0]); c.Aerators[1].ID = "ao2-quat" }, "aerators[1].relay.pin", "aerators[0]"},
		"two set points":  {alarm(func(a *edge.Alarm) { a.Above = new(5.0) }), "alarms[0]", "exactly one"},
		"no set point":    {alarm(func(a *edge.Alarm) { a.Below, a.Clear = nil, nil }), "alarms[0]", "exactly one"},
		"clear below":     {alarm(func(a *edge.Alarm) { a.Clear = new(2.0) }), "alarms[0].clear", "at or above"},
		"clear above":     {alarm(func(a *edge.Alarm) { a.Below, a.Above = nil, new(3.0) }), "alarms[0].clear", "at or below"},
		"faulty clear":    {alarm(func(a *edge.Alarm) { a.Below, a.Faulty = nil, true }), "alarms[0].clear", "remove"},
		"which quantity":  {alarm(func(a *edge.Alarm) { a.Quantity = "" }), "alarms[0].sensor", "add quantity"},
		"siren on relay":  {alarm(func(a *edge.Alarm) { a.Siren = &edge.Relay{Pin: "GPIO17"} }), "alarms[0].siren.pin", "aerators[0]"},
		"siren until":     {func(c *edge.Config) { c.Siren.Until = "tonight" }, "siren.until", "2026-11-26T20:41:00Z"},
		"siren differs": {func(c *edge.Config) {
			c.Alarms = append(c.Alarms, c.Alarms[0])
			c.Alarms[0].Siren, c.Alarms[1].Siren = &edge.Relay{Pin: "GPIO27"}, &edge.Relay{Pin: "GPIO27", ActiveLow: true}
			c.Alarms[1].ID = "ao1-thieu-oxy2"
		}, "alarms[1].siren", "share"},
	} {
		c := config(nil, lowOxygen())
		tc.change(&c)
		problems := c.Check(sensors())
		if len(problems) != 1 || problems[0].Path != tc.path || !strings.Contains(problems[0].What+" "+problems[0].Mend, tc.says) || problems[0].Mend == "" {
			t.Errorf("%s: %+v", name, problems)
		}
	}
	if bad := config(withCurrent, lowOxygen()).Check(sensors()); len(bad) > 0 {
		t.Errorf("a good configuration: %+v", bad)
	}
}

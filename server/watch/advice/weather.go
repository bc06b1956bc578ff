package advice

import (
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/watch/rule"
)

// Snaps of the water, [P] proposed by this project: a pond's daily mean moves by less than 2 °C from one day to the next in ordinary weather.
const (
	weatherDays = 3
	fewestHours = 20  // of 24, or the day is not known
	dropNotice  = 3.0 // °C from one day's mean to the next
	dropWarn    = 5.0
	coldMean    = 18.0 // °C
	hotMean     = 32.0
	hotPeak     = 34.0
)

func weatherSource() farm.Text {
	return farm.Text{
		VI: "mức đề xuất của phần mềm: trung bình ngày giảm từ 3 °C, hoặc dưới 18 °C, hoặc từ 32 °C trở lên; TCVN 13952:2024 (trích lại): 18–34 °C",
		EN: "proposed by this program: a daily mean that falls by 3 °C, below 18 °C, or of 32 °C and more; TCVN 13952:2024 (as quoted): 18–34 °C",
	}
}

// weather compares the water of the last 24 hours with that of the 24 before.
func weather(l *look, p farm.Place) (*rule.Decision, error) {
	if p.Kind != farm.Pond || len(l.series(p, measure.WaterTemperature, l.at.Add(-24*time.Hour), l.at)) == 0 {
		return nil, nil
	}
	steps, err := l.steps(p, measure.WaterTemperature, l.at.Add(-48*time.Hour), l.at, 10*time.Minute)
	if err != nil {
		return nil, err
	}
	hours := hourly(steps, l.at)
	today, peak, n := meanOf(hours, 24, 0)
	before, _, m := meanOf(hours, 48, 24)
	d := &rule.Decision{Verdict: rule.Calm, Source: weatherSource()}
	if n < fewestHours {
		d.Verdict, d.Why = rule.Unknown, []rule.Reason{rule.Because("snap_short", about(float64(n), 0, ""))}
		if n == 0 {
			d.Why = []rule.Reason{rule.Because("snap_none")}
		}
		return d, nil
	}
	t := func(v float64) rule.Arg { return rule.Value(measure.WaterTemperature, v) }
	d.Why = []rule.Reason{rule.Because("snap_mean", t(today))}
	if drop := before - today; m >= fewestHours && drop >= dropNotice {
		d.Verdict = rule.Notice
		if drop >= dropWarn {
			d.Verdict = rule.Warn
		}
		d.Why = []rule.Reason{rule.Because("snap_drop", t(before), t(today))}
		d.Do = []rule.Reason{rule.Because("snap_cold"), rule.Because("snap_rest")}
	} else if today < coldMean {
		d.Verdict, d.Why = rule.Notice, []rule.Reason{rule.Because("snap_chill", t(today), about(coldMean, 0, unitC))}
		d.Do = []rule.Reason{rule.Because("snap_cold"), rule.Because("snap_rest")}
	}
	if (today >= hotMean || peak > hotPeak) && d.Verdict != rule.Warn { // after a hard drop the heat is over
		d.Verdict = rule.Notice
		d.Why = []rule.Reason{rule.Because("snap_hot", t(today), t(peak))}
		d.Do = []rule.Reason{rule.Because("snap_warm"), rule.Because("snap_dawnfeed")}
	}
	return d, nil
}

// hourly makes means of the hours that end at a moment and before it, by how many hours ago they began: an hour counts however often its
// probe was read.
func hourly(steps []history.Bucket, at time.Time) map[int]float64 {
	sum, n := map[int]float64{}, map[int]float64{}
	for _, b := range steps {
		ago := int((at.Sub(b.Start) - 1) / time.Hour) // a step that began a whole day ago is the first of this day
		sum[ago] += b.Mean
		n[ago]++
	}
	for ago := range sum {
		sum[ago] /= n[ago]
	}
	return sum
}

// meanOf returns mean and most of the hours that began from from hours ago on, before to hours ago, and how many there are.
func meanOf(hours map[int]float64, from, to int) (mean, most float64, n int) {
	for ago := to; ago < from; ago++ {
		if v, ok := hours[ago]; ok {
			if n == 0 || v > most {
				most = v
			}
			mean += v
			n++
		}
	}
	return mean / float64(max(n, 1)), most, n
}

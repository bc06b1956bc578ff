package blight

// HuttonDay reports whether a day fulfils the Hutton criteria of one day: its lowest hourly mean is at least 10.0 °C and at least 6 of its hours
// have a humidity of at least 90.0 % (AHDB and James Hutton Institute, 2017). Two such days in a row raise the alarm.
func HuttonDay(lowest float64, humidHours int) bool { return exact(lowest) >= 10 && humidHours >= 6 }

// SmithDay reports whether a day fulfils the older Smith criteria of one day: at least 10 °C, and at least 11 humid hours.
func SmithDay(lowest float64, humidHours int) bool { return exact(lowest) >= 10 && humidHours >= 11 }

// smithMiss is a Smith day but for one hour.
func smithMiss(lowest float64, humidHours int) bool { return exact(lowest) >= 10 && humidHours == 10 }

// InARow answers for a day and the one before it: both fulfil a criterion. A day that is unknown breaks the row: with it nobody can say that
// there is no alarm, unless the other one says so.
func InARow(before, day Tri) Tri {
	switch {
	case before == No || day == No:
		return No
	case before == Yes && day == Yes:
		return Yes
	}
	return Unknown
}

// Period says what the Smith criteria make of two days in a row.
type Period string

// The periods.
const (
	NoPeriod     Period = "no"
	NearMiss     Period = "near" // one of the two days had 10 humid hours, the other at least 11
	SmithPeriod  Period = "yes"
	MetosPeriod  Period = "metos" // 10 hours on the first day and at least 11 on the second: what docs.metos.at calls one
	UnknownSmith Period = "unknown"
)

// Smith answers for a day and the one before it.
func Smith(before, day Day) Period {
	if !before.Known || !day.Known {
		if before.Known && before.Smith == No && !before.smithMiss || day.Known && day.Smith == No && !day.smithMiss {
			return NoPeriod
		}
		return UnknownSmith
	}
	switch {
	case before.Smith == Yes && day.Smith == Yes:
		return SmithPeriod
	case before.smithMiss && day.Smith == Yes:
		return MetosPeriod
	case before.Smith == Yes && day.smithMiss:
		return NearMiss
	}
	return NoPeriod
}

package web

import (
	"regexp"
	"strings"
	"time"
)

// speech finds what is printed in one way and said in another: an announcer reads letter by letter what stands there.
type speech struct {
	clock, date, number *regexp.Regexp
}

// newSpeech returns what has to be said in another way.
func newSpeech() speech {
	return speech{
		clock:  regexp.MustCompile(`\b([01]?\d|2[0-3]):([0-5]\d)\b`),
		date:   regexp.MustCompile(`(?i)(ngày |on |of |from )?\b(\d{2})/(\d{2})/(\d{4})\b`),
		number: regexp.MustCompile(`(\d)\s*(mg/L|µS/cm|mS/cm|°C|%|mm|m³|m²|ha|kg|cm|km|m)(\s|[.,;:)]|$)`),
	}
}

// said are the units as words.
func said(lang, unit string) string {
	vi := map[string]string{
		"mg/L": "mi-li-gam trên một lít", "µS/cm": "mi-crô xi-men", "mS/cm": "mi-li xi-men", "°C": "độ", "%": "phần trăm", "mm": "mi-li-mét", "m³": "mét khối", "m²": "mét vuông",
		"ha": "héc-ta", "kg": "ki-lô", "cm": "xăng-ti-mét", "km": "ki-lô-mét", "m": "mét",
	}
	en := map[string]string{
		"mg/L": "milligrams per litre", "µS/cm": "microsiemens", "mS/cm": "millisiemens", "°C": "degrees", "%": "percent", "mm": "millimetres", "m³": "cubic metres", "m²": "square metres",
		"ha": "hectares", "kg": "kilos", "cm": "centimetres", "km": "kilometres", "m": "metres",
	}
	if lang == English {
		return en[unit]
	}
	return vi[unit]
}

// spoken writes a printed sentence as it is read aloud: 3,2 mg/L is "3,2 mi-li-gam trên một lít", 05:30 is "5 giờ 30", 24/11/2026 is "ngày 24
// tháng 11".
func (w *words) spoken(text string) string {
	s := newSpeech()
	text = strings.ReplaceAll(text, nbsp, " ")
	text = s.number.ReplaceAllStringFunc(text, func(m string) string {
		p := s.number.FindStringSubmatch(m)
		return p[1] + " " + said(w.lang, p[2]) + p[3]
	})
	text = s.date.ReplaceAllStringFunc(text, func(m string) string {
		p := s.date.FindStringSubmatch(m)
		at := w.t("bulletin.day", bare(p[2]), w.monthSaid(p[3]))
		if p[1] == "" && w.lang == Vietnamese {
			return "ngày " + at
		}
		return p[1] + at
	})
	text = s.clock.ReplaceAllStringFunc(text, func(m string) string {
		p := s.clock.FindStringSubmatch(m)
		if p[2] == "00" {
			return w.t("bulletin.hour", bare(p[1]))
		}
		return w.t("bulletin.clock", bare(p[1]), p[2])
	})
	return strings.Join(strings.Fields(text), " ")
}

// bare is a number without the zero in front.
func bare(s string) string {
	if len(s) > 1 {
		return strings.TrimPrefix(s, "0")
	}
	return s
}

// monthSaid is a month: a number in Vietnamese, a name in English.
func (w *words) monthSaid(mm string) string {
	if at, err := time.Parse("01", mm); err == nil && w.lang == English {
		return at.Month().String()
	}
	return bare(mm)
}

// spokenMoment is a time of a day: "sáng ngày 24 tháng 11 năm 2026, lúc 7 giờ 40".
func (w *words) spokenMoment(t time.Time) string {
	local := t.In(w.zone)
	part := "evening"
	switch h := local.Hour(); {
	case h < 11:
		part = "morning"
	case h < 14:
		part = "noon"
	case h < 18:
		part = "afternoon"
	}
	at := w.spoken(local.Format("15:04"))
	return w.t("bulletin.part."+part, w.t("bulletin.day", bare(local.Format("02")), w.monthSaid(local.Format("01"))), local.Format("2006"), at)
}

package web

import (
	"context"
	"fmt"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

// Composer writes what messages say, in the words of the pages, for notify.
type Composer struct {
	words map[string]*words
	farm  Register
	base  string // address of the pages, without trailing slash
}

// NewComposer returns a Composer for a farm whose pages are at an address.
func NewComposer(register Register, publicURL string) (*Composer, error) {
	x := &Composer{words: map[string]*words{}, farm: register, base: strings.TrimSuffix(publicURL, "/")}
	for _, lang := range []string{Vietnamese, English} {
		w, err := loadWords(lang)
		if err != nil {
			return nil, err
		}
		x.words[lang] = w
	}
	return x, nil
}

// Compose implements notify.Composer.
func (x *Composer) Compose(ctx context.Context, d notify.Draft) (notify.Text, error) {
	f, err := x.farm.Farm(ctx)
	if err != nil {
		return notify.Text{}, fmt.Errorf("web: compose: %w", err)
	}
	w, ok := x.words[d.Lang]
	if !ok {
		w = x.words[Vietnamese]
	}
	m := mailer{w, f, d, x.base}
	switch {
	case d.Kind == notify.Test:
		return m.test(), nil
	case d.Kind == notify.Digest:
		return m.digest(), nil
	case len(d.Alarms) == 1:
		return m.one(d.Alarms[0]), nil
	}
	return m.many(), nil
}

// mailer writes one message.
type mailer struct {
	w    *words
	farm *farm.Farm
	d    notify.Draft
	base string
}

// link is the address of a page of ours.
func (m mailer) link(path string) string { return m.base + inLanguage(path, m.w.lang) }

func (m mailer) test() notify.Text {
	text := m.w.t("notify.test.text", m.d.Contact, m.farm.Coop.Name.In(m.w.lang), m.w.dateTime(m.d.At))
	return notify.Text{
		Subject: m.w.t("notify.test.subject"), Text: text + "\n", Short: notify.Short(m.w.t("notify.test.short", m.w.dateTime(m.d.At))), Link: m.link("/"),
	}
}

// place names what an alarm is of.
func (w *words) alarmPlace(f *farm.Farm, place string) string {
	if id, ok := strings.CutPrefix(place, "gateway "); ok {
		return w.t("notify.gateway", id)
	}
	if place == "" {
		return w.t("notify.server")
	}
	if p, ok := f.Place(place); ok {
		return p.Title.In(w.lang)
	}
	return place
}

// head is the word an alarm is called out with.
func (m mailer) head(t notify.Told) string {
	level := m.w.t("notify.level." + string(t.Level))
	switch t.Kind {
	case notify.Closed:
		return m.w.t("notify.head.closed")
	case notify.Reminder:
		return m.w.t("notify.head.reminder", level)
	case notify.Raised:
		return m.w.t("notify.head.raised", level)
	case notify.Opened, notify.Digest, notify.Test, notify.Bulletin:
	}
	return level
}

// what names place and topic.
func (m mailer) what(a alarm.Alarm) string {
	return m.w.t("notify.what", m.w.alarmPlace(m.farm, a.Place), lowerFirst(m.w.topic(a.Topic)))
}

// why says the reasons of an alarm, or how long one lasted that is over.
func (m mailer) why(t notify.Told) []string {
	if t.Kind == notify.Closed {
		end := t.Ended
		if end.IsZero() {
			end = m.d.At
		}
		return []string{m.w.t("notify.lasted", m.w.moment(t.Began, m.d.At), m.w.moment(end, m.d.At), m.w.length(end.Sub(t.Began)))}
	}
	return m.w.reasons("why", t.Decision.Why, m.d.At)
}

func (m mailer) one(t notify.Told) notify.Text {
	head, what, why := m.head(t), m.what(t.Alarm), m.why(t)
	var do []string
	if t.Kind != notify.Closed {
		do = m.w.reasons("do", t.Decision.Do, m.d.At)
	}
	out := notify.Text{Subject: m.w.t("notify.subject", head, what), Link: m.link("/alarms/" + t.ID)}
	var b strings.Builder
	fmt.Fprintln(&b, out.Subject)
	for _, s := range why {
		fmt.Fprintln(&b, s)
	}
	if t.Kind != notify.Closed {
		fmt.Fprintln(&b, m.w.t("notify.since", m.w.moment(t.Began, m.d.At)))
	}
	if said := unsignedOf(m.w, m.farm, t.Alarm); said != "" {
		fmt.Fprintln(&b, said)
	}
	if len(do) > 0 {
		fmt.Fprintln(&b, "\n"+m.w.t("notify.do"))
		for _, s := range do {
			fmt.Fprintln(&b, "- "+s)
		}
	}
	if src := t.Decision.Source.In(m.w.lang); src != "" && t.Kind != notify.Closed {
		fmt.Fprintln(&b, "\n"+m.w.t("notify.source", src))
	}
	if t.Kind != notify.Closed {
		fmt.Fprintln(&b, "\n"+m.w.t("notify.ack"))
	}
	out.Text = b.String()
	parts := []string{out.Subject + m.unsigned(t.Alarm) + "."}
	if len(why) > 0 {
		parts = append(parts, why[0])
	}
	if len(do) > 0 {
		parts = append(parts, do[0])
	}
	out.Short = notify.Short(parts...)
	return out
}

// many writes a storm: every alarm has its line, the gravest first.
func (m mailer) many() notify.Text {
	open, closed, level := 0, 0, string(rule.Warn)
	for _, t := range m.d.Alarms {
		if t.Kind == notify.Closed {
			closed++
			continue
		}
		open++
		if t.Level == rule.Crit {
			level = string(rule.Crit)
		}
	}
	var out notify.Text
	switch {
	case open == 0:
		out.Subject = m.w.t("notify.many.closed", m.w.count(int64(closed)))
	case closed == 0:
		out.Subject = m.w.t("notify.many", m.w.t("notify.level."+level), m.w.count(int64(open)))
	default:
		out.Subject = m.w.t("notify.many.both", m.w.t("notify.level."+level), m.w.count(int64(open)), m.w.count(int64(closed)))
	}
	out.Link = m.link("/alarms")
	out.Text = out.Subject + "\n\n" + m.lines(m.d.Alarms) + "\n" + m.w.t("notify.ack") + "\n"
	out.Short = m.shortList(out.Subject+":", m.d.Alarms)
	return out
}

// lines writes an alarm a line.
func (m mailer) lines(list []notify.Told) string {
	var b strings.Builder
	for i, t := range list {
		fmt.Fprintf(&b, "%d. %s", i+1, m.w.t("notify.line", m.head(t), m.what(t.Alarm)))
		if why := m.why(t); len(why) > 0 {
			b.WriteString(" " + why[0])
		}
		b.WriteString(m.unsigned(t.Alarm))
		b.WriteByte('\n')
	}
	return b.String()
}

// unsigned is put behind an alarm that rests on devices which cannot sign.
func (m mailer) unsigned(a alarm.Alarm) string {
	if unsignedOf(m.w, m.farm, a) == "" {
		return ""
	}
	return " (" + m.w.t("unsigned") + ")"
}

// shortList names as many places as one SMS holds, and how many more there are.
func (m mailer) shortList(head string, list []notify.Told) string {
	out := notify.Plain(head)
	for i, t := range list {
		item := " " + notify.Plain(m.w.alarmPlace(m.farm, t.Place)+" "+lowerFirst(m.w.topic(t.Topic))+m.unsigned(t.Alarm))
		if t.Kind == notify.Closed {
			item += " " + notify.Plain(m.w.t("notify.short.closed"))
		}
		more := ""
		if left := len(list) - i - 1; left > 0 {
			item += ","
			more = " " + notify.Plain(m.w.t("notify.short.more", m.w.count(int64(left))))
		}
		if len(out)+len(item)+len(more) > notify.ShortMost {
			return notify.Short(out, m.w.t("notify.short.more", m.w.count(int64(len(list)-i))))
		}
		out += item
	}
	return notify.Short(out)
}

// digest writes what a day brought.
func (m mailer) digest() notify.Text {
	var open, over []notify.Told
	for _, t := range m.d.Alarms {
		if t.Kind == notify.Closed {
			over = append(over, t)
		} else {
			open = append(open, t)
		}
	}
	day := m.w.date(m.d.At)
	out := notify.Text{Subject: m.w.t("notify.digest.calm", day), Link: m.link("/alarms")}
	if len(m.d.Alarms) > 0 {
		out.Subject = m.w.t("notify.digest.subject", day, m.w.count(int64(len(open))), m.w.count(int64(len(over))))
	}
	var b strings.Builder
	fmt.Fprintln(&b, out.Subject)
	fmt.Fprintln(&b, m.w.t("notify.digest.since", m.stamp(m.d.Since)))
	if len(open) > 0 {
		b.WriteString("\n" + m.w.t("notify.digest.open") + "\n" + m.lines(open))
	}
	if len(over) > 0 {
		b.WriteString("\n" + m.w.t("notify.digest.over") + "\n" + m.lines(over))
	}
	if len(m.d.Notices) > 0 {
		fmt.Fprintln(&b, "\n"+m.w.t("notify.digest.notices"))
		for _, n := range m.d.Notices {
			why := m.w.reasons("why", n.Why, m.d.At)
			fmt.Fprintf(&b, "- %s: %s\n", m.what(alarm.Alarm{Key: alarm.Key{Place: n.Place, Topic: n.Topic}}), strings.Join(why, " "))
		}
	}
	out.Text = b.String()
	out.Short = notify.Short(out.Subject + ".")
	if len(open) > 0 {
		out.Short = m.shortList(out.Subject+":", open)
	}
	return out
}

func (m mailer) stamp(t time.Time) string { return m.w.dateTime(t) }

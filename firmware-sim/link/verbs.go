package link

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/firmware-sim/control"
)

// Verb is the command of the links of a field.
func Verb(links []*Link) control.Verb {
	v := control.Verb{Name: "link", Usage: []string{
		"link list - every link and how it is",
		"link ID down - connections are reset, new ones too; ID may be all",
		"link ID half-open - connections are accepted and stay open, and nothing passes",
		"link ID slow RTT [KBPS] - so much longer there and back, such as 800ms, and so many kilobits a second",
		"link ID lossy PERCENT - so many of its segments are lost: what TCP makes of that",
		"link ID flap PERIOD - so often, such as 30s, it goes away for about a fifth of that",
		"link ID cut - connections break now; the link stays as it is",
		"link ID up - a good link again",
	}}
	v.Do = func(_ context.Context, args []string) ([]string, error) {
		switch {
		case len(args) == 1 && args[0] == "list":
			lines := make([]string, len(links))
			for i, l := range links {
				lines[i] = l.line()
			}
			return lines, nil
		case len(args) < 2:
			return nil, v.Want()
		}
		chosen := links
		if args[0] != "all" {
			i := slices.IndexFunc(links, func(l *Link) bool { return l.o.Name == args[0] })
			if i < 0 {
				return nil, fmt.Errorf("%w: no link %q; there are: %s", control.ErrUsage, args[0], Names(links))
			}
			chosen = links[i : i+1]
		}
		if args[1] == "cut" && len(args) == 2 {
			for _, l := range chosen {
				l.Cut()
			}
			return nil, nil
		}
		for _, l := range chosen {
			c, err := l.Condition().worse(args[1:])
			if err != nil {
				return nil, err
			}
			if err := l.Set(c); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	return v
}

// Names lists links for people.
func Names(links []*Link) string {
	if len(links) == 0 {
		return "none (give a gateway a link in the field file)"
	}
	names := make([]string, len(links))
	for i, l := range links {
		names[i] = l.o.Name
	}
	return strings.Join(names, ", ")
}

// Check reports whether a condition can be changed by the words of a command that stand after the link's name.
func (c Condition) Check(words string) error {
	list := strings.Fields(words)
	if len(list) == 0 {
		list = []string{""}
	}
	_, err := c.worse(list)
	return err
}

// worse is a condition as words change it: what was said before of another side of it stays.
func (c Condition) worse(words []string) (Condition, error) {
	state, rest := words[0], words[1:]
	switch {
	case state == "up" && len(rest) == 0:
		return Condition{}, nil
	case state == "down" && len(rest) == 0:
		c.Down, c.HalfOpen = true, false
		return c, nil
	case state == "half-open" && len(rest) == 0:
		c.Down, c.HalfOpen = false, true
		return c, nil
	case state == "slow" && (len(rest) == 1 || len(rest) == 2):
		return c.slow(rest)
	case state == "lossy" && len(rest) == 1:
		percent, err := strconv.ParseFloat(strings.TrimSuffix(rest[0], "%"), 64)
		if err != nil || !(percent >= 0 && percent <= 100*MaxLoss) {
			return c, fmt.Errorf("%w: a loss of %q: want per cent, 0 to %g", control.ErrUsage, rest[0], 100*MaxLoss)
		}
		c.Loss = percent / 100
		return c, nil
	case state == "flap" && len(rest) == 1:
		period, err := time.ParseDuration(rest[0])
		if err != nil || period < 0 || period > 24*time.Hour {
			return c, fmt.Errorf("%w: a period of %q: want a time such as 30s, at most 24h; 0s for a steady link", control.ErrUsage, rest[0])
		}
		c.Flap = period
		return c, nil
	}
	return c, fmt.Errorf("%w: a link that is %q: want down, half-open, slow RTT [KBPS], lossy PERCENT, flap PERIOD, cut, or up", control.ErrUsage, strings.Join(words, " "))
}

func (c Condition) slow(words []string) (Condition, error) {
	trip, err := time.ParseDuration(words[0])
	if err != nil || trip < 0 || trip > time.Minute {
		return c, fmt.Errorf("%w: a round trip of %q: want a time such as 800ms, at most 1m", control.ErrUsage, words[0])
	}
	c.Trip, c.Rate = trip, 0
	if len(words) == 2 {
		kbps, err := strconv.ParseFloat(words[1], 64)
		if err != nil || !(kbps >= 0.1 && kbps <= 1e6) {
			return c, fmt.Errorf("%w: a rate of %q: want kilobits a second, 0.1 to 1000000", control.ErrUsage, words[1])
		}
		c.Rate = max(1, int(kbps*1000/8))
	}
	return c, nil
}

// Words are the commands that bring a good link into this condition; "up" alone for a good one.
func (c Condition) Words() []string {
	var list []string
	say := func(is bool, format string, args ...any) {
		if is {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	say(c.Down, "down")
	say(c.HalfOpen, "half-open")
	say(c.Rate > 0, "slow %s %g", c.Trip, float64(c.Rate)*8/1000)
	say(c.Rate == 0 && c.Trip > 0, "slow %s", c.Trip)
	say(c.Loss > 0, "lossy %g", 100*c.Loss)
	say(c.Flap > 0, "flap %s", c.Flap)
	if len(list) == 0 {
		return []string{"up"}
	}
	return list
}

// line is what list says of a link: its name, how it is, what it carried.
func (l *Link) line() string {
	s := l.Stats()
	return fmt.Sprintf("%s %s to=%s connections=%d bytes=%d segments=%d lost=%d flaps=%d resets=%d refused=%d silent=%d",
		l.o.Name, strings.ReplaceAll(strings.Join(l.Condition().Words(), "+"), " ", "_"), l.o.To,
		s.Connections, s.Bytes, s.Segments, s.Lost, s.Flaps, s.Resets, s.Refused, s.Silent)
}

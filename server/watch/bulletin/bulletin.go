// Package bulletin says what the commune's loudspeaker should read out: of what the rules decided, the parts that all need to hear, by topic,
// verdict and zone.
//
// Decisions and the farm come in; parts go out, whose sentences server/web writes. No name of a person goes out and no coordinate: a place whose
// name tells whose it is, is counted and not named. No SQL, no HTTP, no clock.
package bulletin

import (
	"slices"
	"strings"

	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
	"aovuon/server/watch/soil"
)

// Topics are what is read out, in this order. Their words are bulletin.topic.TOPIC.
func Topics() []string {
	return []string{"dawn_oxygen", "heat_cold", "late_blight", "outbreak", "flood", "waterlogging", "drought", "irrigation"}
}

// TopicsOf are the topics that a rule decides on: one of its own name, but for that of the soil.
func TopicsOf(id string) []string {
	if id == soil.ID {
		return []string{soil.Flood, soil.Waterlogging, soil.Drought, soil.Irrigation}
	}
	return []string{id}
}

// Verdicts are the verdicts that are read out, gravest first; what is calm is read out only where all of a topic is.
func Verdicts() []rule.Verdict {
	return []rule.Verdict{rule.Crit, rule.Warn, rule.Notice, rule.Unknown}
}

// MostNamed is how many places of a group are named: nobody remembers more.
const MostNamed = 6

// Part is what is read out about one topic.
type Part struct {
	Topic  string
	Groups []Group // gravest first; none: all is calm
	Places int     // that were judged
	Blind  bool    // the rule could not look: nothing is known
}

// Group are the places of a zone for which the same was decided.
type Group struct {
	Verdict rule.Verdict
	Zone    farm.Text
	Kind    farm.Kind
	Named   []farm.Text
	More    int           // that are not named
	Do      []rule.Reason // what to do there, of every place
}

// People are names that must not be read out, and the words before one.
type People struct{ Names []string }

// calls are how people are addressed: a name follows.
func calls() []string {
	return []string{"ông", "bà", "anh", "chị", "cô", "chú", "bác", "cụ", "nhà", "hộ", "em", "mr", "mrs", "ms", "household"}
}

// Tells reports whether the name of a place tells whose it is.
func (p People) Tells(title string) bool {
	if diary.Mentioned(title, p.Names) {
		return true
	}
	words := strings.Fields(strings.ToLower(title))
	for i, w := range words {
		if i+1 < len(words) && slices.Contains(calls(), strings.Trim(w, ".,()")) {
			return true
		}
	}
	return false
}

// Compose puts decisions into parts, in the order of Topics. blind are the topics whose rules could not look.
func Compose(f *farm.Farm, decisions []rule.Decision, blind []string, people People) []Part {
	var out []Part
	for _, topic := range Topics() {
		p := Part{Topic: topic, Blind: slices.Contains(blind, topic)}
		of := slices.DeleteFunc(slices.Clone(decisions), func(d rule.Decision) bool { return d.Topic != topic })
		p.Places = len(of)
		for _, v := range Verdicts() {
			p.Groups = append(p.Groups, groups(f, of, v, people)...)
		}
		if p.Places > 0 || p.Blind {
			out = append(out, p)
		}
	}
	return out
}

// groups are the groups of one verdict, by zone in the farm's order.
func groups(f *farm.Farm, decisions []rule.Decision, v rule.Verdict, people People) (out []Group) {
	type key struct {
		zone string
		kind farm.Kind
	}
	at := map[key]int{}
	for _, p := range f.Places { // in the farm's order, whatever that of the decisions is
		i := slices.IndexFunc(decisions, func(d rule.Decision) bool { return d.Place == p.Code && d.Verdict == v })
		if i < 0 {
			continue
		}
		k := key{p.Zone, p.Kind}
		if _, there := at[k]; !there {
			at[k] = len(out)
			g := Group{Verdict: v, Kind: p.Kind}
			if z, ok := f.Zone(p.Zone); ok && !people.Tells(z.Name.VI) {
				g.Zone = z.Name
			}
			out = append(out, g)
		}
		out[at[k]].add(p, decisions[i], people)
	}
	return out
}

func (g *Group) add(p farm.Place, d rule.Decision, people People) {
	if len(g.Named) < MostNamed && !people.Tells(p.Title.VI) && !people.Tells(p.Title.EN) {
		g.Named = append(g.Named, p.Title)
	} else {
		g.More++
	}
	g.Do = append(g.Do, d.Do...)
}

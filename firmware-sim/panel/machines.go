package panel

import (
	"context"
	"slices"
	"strings"
)

// machinesView is the page of what carries readings, and of the devices several places share.
type machinesView struct {
	Groups  []group
	Devices []deviceView
}

// group are things of one sort, and what can be done to all of them.
type group struct {
	ID, Title string
	Things    []thing
	Forms     []form
}

// thing is a gateway or a link.
type thing struct {
	ID, Verb, State, Tone string
	Lately                string
	More                  string // figures, as the field says them
	Open                  bool
	Forms                 []form
}

// machines gathers what the field can be told beside devices, places and weather. A verb that can list things, and be told what
// to do with one of them, makes a group of its own: "link list", "link ID down".
func (g *gathered) machines(ctx context.Context) machinesView {
	var v machinesView
	for _, verb := range g.verbs() {
		if slices.ContainsFunc(g.usages, func(u usage) bool { return u.key() == verb+".list" }) {
			if one, ok := g.group(ctx, verb); ok {
				v.Groups = append(v.Groups, one)
			}
		}
	}
	if all := g.whole(); len(all) > 0 {
		v.Groups = append(v.Groups, group{ID: "all", Title: g.w.T("machines.all"), Forms: all})
	}
	for _, p := range g.parts("") {
		v.Devices = append(v.Devices, g.device(p))
	}
	return v
}

// verbs lists the verbs of the field in the order of its help.
func (g *gathered) verbs() (list []string) {
	for _, u := range g.usages {
		if !slices.Contains(list, u.Words[0].Text) {
			list = append(list, u.Words[0].Text)
		}
	}
	return list
}

// whole are the forms of what is for no one thing: "heal all", "broker stop". What only asks has none, and the weather has its own.
func (g *gathered) whole() (list []form) {
	for _, u := range g.usages {
		if u.subject() == "" && !asksOnly(u.Head) && u.Words[0].Text != actVerb {
			list = append(list, g.page.fill(g.w, u, "", nil, g.last))
		}
	}
	return list
}

// group asks a verb for its things. A line of the answer begins with the name of one and its state.
func (g *gathered) group(ctx context.Context, verb string) (group, bool) {
	lines, err := g.page.o.Desk.Do(ctx, verb+" list")
	if err != nil || len(lines) == 0 {
		return group{}, false
	}
	one := group{ID: slug(verb), Title: g.w.Or("group."+verb, verb)}
	for _, l := range lines {
		name, rest, _ := strings.Cut(strings.TrimSpace(l), " ")
		state, more, _ := strings.Cut(rest, " ")
		t := thing{ID: name, Verb: verb, State: g.stateOf(verb, state), More: strings.ReplaceAll(more, "_", " "), Tone: "fault"}
		if slices.Contains([]string{"up", "running", "healthy", "ok"}, state) {
			t.Tone = "good"
		}
		for _, u := range g.usages {
			if u.Words[0].Text == verb && u.subject() == idWord {
				t.Forms = append(t.Forms, g.page.fill(g.w, u, name, nil, g.last))
			}
		}
		t.Lately = g.lately(verb, name)
		t.Open = g.last != nil && g.last.subject == name
		one.Things = append(one.Things, t)
	}
	return one, true
}

// stateOf is a state in words: "slow_800ms_64+lossy_20" is two of them.
func (g *gathered) stateOf(verb, state string) string {
	var list []string
	for one := range strings.SplitSeq(state, "+") {
		name, figures, _ := strings.Cut(one, "_")
		text := g.w.Or("state."+verb+"."+name, g.w.Or("fault."+name, name))
		if figures != "" {
			text += " " + strings.ReplaceAll(figures, "_", " ")
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

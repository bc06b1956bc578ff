package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"aovuon/server/farm"
	"aovuon/server/setup"
)

// Installer is what the setup page asks, and what it orders.
type Installer interface {
	// Enter lets a browser in by a link: see setup.Store.
	Enter(token, cookie string) (set string, err error)
	// Standing says how far the setup is.
	Standing() (InstallState, error)
	// Keep keeps what was filled in.
	Keep(d setup.Draft) error
	// Look looks at everything that would keep a server with these settings from working.
	Look(ctx context.Context, d setup.Draft) ([]setup.Finding, error)
	// Finish settles it; the server starts with it.
	Finish(ctx context.Context, d setup.Draft) error
}

// InstallPhase is what a server does that is being set up.
type InstallPhase string

// The phases.
const (
	InstallFilling  InstallPhase = "filling"  // somebody fills in
	InstallStarting InstallPhase = "starting" // the server starts with it
	InstallRunning  InstallPhase = "running"  // it runs, at its new address
)

// InstallState is how far the setup is.
type InstallState struct {
	Phase   InstallPhase
	Draft   setup.Draft
	Problem string   // why the server did not start with it; empty: it was not tried
	Again   bool     // there is a server already: it gets another address
	Key     string   // name of the server's key where there is one: it stays
	Hosts   []string // addresses and names of this machine
	// Of a server that runs: where to go on, whether there is an admin still to be made there, and where its certificate is explained.
	Link  string
	First bool
	Trust string // empty: browsers know the certificate
	CA    *CA    // with Trust
}

type installPage struct {
	frame
	InstallState
	Step   string // coop, address, check; starting, running; closed, gone, elsewhere, failed
	Steps  []installStep
	Wrong  map[string]string // by field
	Found  []foundLine
	Worst  setup.Grade
	Action string
	Back   string
	Ways   []setup.Way
	URL    string
	Unseen bool // warnings were not ticked
}

type installStep struct {
	Name, Label, Href string
	Here, Past        bool
}

type foundLine struct {
	setup.Finding
	Text string
}

// installSteps are the steps that are filled in here, and those that follow at the new address.
func installSteps(again bool) []string {
	if again {
		return []string{"address", "check"}
	}
	return []string{"coop", "address", "check", "admin", "backup"}
}

// filled reports whether a step is one of this page.
func filled(step string) bool { return step == "coop" || step == "address" || step == "check" }

// shown draws the step that is asked for, or the first that is not answered.
func (i *install) shown(rw http.ResponseWriter, r *http.Request, w *words) (answer, error) {
	a, ok, err := i.enter(rw, r, w)
	if !ok || err != nil {
		return a, err
	}
	st, err := i.desk.Standing()
	if err != nil {
		return answer{}, err
	}
	return i.at(r, w, installPage{InstallState: st, Step: r.URL.Query().Get("step")})
}

// at draws a step, or the one before it that is not answered yet.
func (i *install) at(r *http.Request, w *words, p installPage) (answer, error) {
	switch p.Phase {
	case InstallStarting, InstallRunning:
		p.Step = string(p.Phase)
		p.URL = p.Draft.URL()
		return i.page(w, r, p)
	case InstallFilling:
	}
	steps := installSteps(p.Again)
	if !slices.Contains(steps, p.Step) || !filled(p.Step) {
		p.Step = "check"
	}
	switch {
	case !p.Again && p.Step != "coop" && len(p.Draft.CheckCoop()) > 0:
		p.Step = "coop"
	case p.Step == "check" && len(p.Draft.CheckAddress()) > 0:
		p.Step = "address"
	}
	if p.Step == "address" && p.Draft.Way != "" {
		wrong, err := i.refusedAddress(r, w, p.InstallState)
		if err != nil {
			return answer{}, err
		}
		p.Wrong = wrong
	}
	if p.Step == "check" && p.Found == nil {
		found, err := i.desk.Look(r.Context(), p.Draft)
		if err != nil {
			return answer{}, err
		}
		p.Worst = setup.Worst(found)
		for _, f := range found {
			p.Found = append(p.Found, foundLine{f, w.t("install.found."+f.Code, f.Args...)})
		}
	}
	return i.page(w, r, p)
}

// sent takes a step in, and goes on to the next or says what is wrong. What was written is kept in any case.
func (i *install) sent(rw http.ResponseWriter, r *http.Request, w *words) (answer, error) {
	a, ok, err := i.enter(rw, r, w)
	if !ok || err != nil {
		return a, err
	}
	st, err := i.desk.Standing()
	if err != nil || st.Phase != InstallFilling {
		return answer{to: i.path(r, w, "")}, err
	}
	step := r.PostForm.Get("step")
	if step == "check" {
		return i.finish(r, w, st)
	}
	d, next := st.Draft, "address"
	var bad []setup.Problem
	switch {
	case step == "coop" && !st.Again:
		fillCoop(&d, r.PostForm, st.Key)
		bad = d.CheckCoop()
	case step == "address":
		fillAddress(&d, r.PostForm, st.Hosts)
		bad, next = d.CheckAddress(), "check"
	default:
		return answer{to: i.path(r, w, "")}, nil
	}
	if err := i.desk.Keep(d); err != nil {
		return answer{}, err
	}
	if len(bad) == 0 {
		return answer{to: i.path(r, w, next)}, nil
	}
	st.Draft = d
	a, err = i.page(w, r, installPage{InstallState: st, Step: step, Wrong: installWrongs(w, bad)})
	a.status = http.StatusUnprocessableEntity
	return a, err
}

// installWrongs says what is wrong, by field.
func installWrongs(w *words, bad []setup.Problem) map[string]string {
	out := map[string]string{}
	for _, x := range bad {
		if out[x.Field] == "" {
			out[x.Field] = w.t("install.wrong." + x.Code)
		}
	}
	return out
}

// refusedAddress says what is wrong with the address step as it is kept: who comes back to it sees at which field, and why.
func (i *install) refusedAddress(r *http.Request, w *words, st InstallState) (map[string]string, error) {
	out := installWrongs(w, st.Draft.CheckAddress())
	if len(out) > 0 || !st.typed() {
		return out, nil
	}
	found, err := i.desk.Look(r.Context(), st.Draft)
	for _, f := range found {
		if f.Grade == setup.Bad && strings.HasPrefix(f.Code, "address.") {
			out["lan_host"] = w.t("install.found."+f.Code, f.Args...)
		}
	}
	return out, err
}

// typed reports whether the address in the local network is one that somebody wrote, and none that this machine is known to have.
func (s InstallState) typed() bool {
	return s.Draft.Way == setup.LAN && s.Draft.LANHost != "" && !slices.Contains(s.Hosts, s.Draft.LANHost)
}

func fillCoop(d *setup.Draft, form url.Values, key string) {
	get := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	d.Coop, d.CoopEN, d.Address, d.AddressEN, d.Name = get("coop"), get("coop_en"), get("address"), get("address_en"), strings.ToLower(get("name"))
	d.Phone = get("phone")
	switch {
	case key != "":
		d.Name = key
	case d.Name == "":
		d.Name = keyName(d.Coop)
	}
}

// fillAddress takes the address step in. hosts are those that were offered. What somebody wrote counts before what is chosen, because something
// always is; but what stands there from the last time does not, once one of hosts was chosen beside it.
func fillAddress(d *setup.Draft, form url.Values, hosts []string) {
	stood := d.LANHost
	get := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	low := func(name string) string { return strings.TrimSuffix(strings.ToLower(get(name)), ".") }
	d.Way, d.LANHost, d.Domain, d.OwnHost = setup.Way(get("way")), low("lan_host"), low("domain"), low("own_host")
	d.Email, d.CertFile, d.KeyFile, d.Port = get("email"), get("cert_file"), get("key_file"), get("port")
	other := low("lan_other")
	if again := other == stood && !slices.Contains(hosts, other); other != "" && (d.LANHost == "" || !again) {
		d.LANHost = other
	}
}

// keyName makes a name for the key of a co-op: Hợp tác xã Phú Khê -> htx-phu-khe.
func keyName(coop string) string {
	name := strings.TrimPrefix(zoneID(&farm.Farm{}, strings.Replace(strings.ToLower(fold(coop)), "hop tac xa", "htx", 1)), "-")
	if strings.HasPrefix(name, "htx") {
		return name
	}
	return strings.Trim(("htx-" + name)[:min(len(name)+4, 39)], "-")
}

// finish settles what was filled in, unless something stands against it.
func (i *install) finish(r *http.Request, w *words, st InstallState) (answer, error) {
	found, err := i.desk.Look(r.Context(), st.Draft)
	if err != nil {
		return answer{}, err
	}
	worst := setup.Worst(found)
	if r.PostForm.Get("again") != "" || worst == setup.Bad {
		return answer{to: i.path(r, w, "check")}, nil
	}
	if worst == setup.Warn && r.PostForm.Get("seen") != "yes" {
		a, err := i.at(r, w, installPage{InstallState: st, Step: "check", Unseen: true})
		a.status = http.StatusUnprocessableEntity
		return a, err
	}
	if err := i.desk.Finish(r.Context(), st.Draft); err != nil {
		return answer{}, err
	}
	return answer{to: i.path(r, w, "start")}, nil
}

// page draws one of the setup's pages.
func (i *install) page(w *words, r *http.Request, p installPage) (answer, error) {
	other := English
	if w.lang == English {
		other = Vietnamese
	}
	here := r.URL.Path
	if filled(p.Step) {
		here += "?step=" + p.Step
	}
	p.frame = frame{
		Title: w.t("install.title"), Coop: farm.Text{VI: p.Draft.Coop, EN: p.Draft.CoopEN}, Plain: true, Bare: true, Forms: true, Sheet: "install.css",
		Here: here, There: inLanguage(here, other), AsOf: i.o.Now(),
		Soon: p.Step == string(InstallStarting),
	}
	p.Action, p.Ways = inLanguage(r.URL.Path, w.lang), setup.Ways()
	past := true
	for _, s := range installSteps(p.Again) {
		here := s == p.Step || p.Step == string(InstallStarting) && s == "check" || p.Step == string(InstallRunning) && s == "admin"
		past = past && !here
		st := installStep{Name: s, Label: w.t("install.step." + s), Here: here, Past: past}
		if filled(s) && p.Phase == InstallFilling && past {
			st.Href = i.path(r, w, s)
		}
		p.Steps = append(p.Steps, st)
	}
	if p.Step == "check" {
		p.Back, p.URL = i.path(r, w, "address"), p.Draft.URL()
	}
	body, err := i.e.render(w.lang, "install.html", "layout", p)
	return answer{status: http.StatusOK, body: body, secret: true}, err
}

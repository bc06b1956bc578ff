package epcis

import (
	"cmp"
	"net/url"
	"strings"

	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/trace/digitallink"
)

// Names writes what events are about as URIs: canonical Digital Links for numbers that GS1 gave out, addresses below the co-op's own host for
// all others. A number of the co-op's own is never written below id.gs1.org.
type Names struct {
	Base   string // http:// or https:// and host, without a slash at its end
	GLN    string // of the co-op, 13 digits; empty: it has none
	Prefix string // GS1 company prefix; empty: it has none
}

// Context returns what the prefixes of our extensions stand for.
func (n Names) Context() Context {
	return Context{"farm": n.Base + "/voc/", "cbvmda": "urn:epcglobal:cbv:mda:"}
}

// own is a name below the co-op's host. It need not open a page.
func (n Names) own(kind string, parts ...string) string {
	var b strings.Builder
	b.WriteString(n.Base + "/id/" + kind)
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}

// term is a word of our own, in the place of one of CBV's.
func (n Names) term(word string) string { return n.Base + "/voc/" + word }

// Lot names a lot, or an item of it.
func (n Names) Lot(l trace.Link) string {
	if !farm.Internal(l.GTIN) {
		return digitallink.Root + l.Path()
	}
	short, err := trace.ShortPath(l)
	if err != nil {
		return n.own("lot", l.GTIN, l.Lot, l.Serial)
	}
	return n.Base + short
}

// Box names a box.
func (n Names) Box(sscc string) string {
	if farm.InternalSSCC(sscc) {
		return trace.BoxAddress(n.Base, sscc)
	}
	return digitallink.Root + "/00/" + sscc
}

// Place names a place of the co-op's: its GLN with the place's code as extension, or the address of its board.
func (n Names) Place(code string) string {
	if n.GLN == "" {
		return n.Base + "/p/" + url.PathEscape(code)
	}
	return digitallink.Root + "/414/" + n.GLN + "/254/" + digitallink.Escape(code)
}

// Coop names the co-op as a party.
func (n Names) Coop() string {
	if n.GLN == "" {
		return n.own("coop")
	}
	return digitallink.Root + "/417/" + n.GLN
}

// Probe names a probe.
func (n Names) Probe(gateway, sensor string) string {
	if giai := n.Prefix + gateway + "." + sensor; n.Prefix != "" && len(giai) <= 30 {
		if l, err := digitallink.New(digitallink.Element{AI: "8004", Value: giai}); err == nil {
			return l.Canonical()
		}
	}
	return n.own("probe", gateway, sensor)
}

// Season names what grows at a place in a season, before it is a lot.
func (n Names) Season(cycle string) string { return n.own("season", cycle) }

// Seed names what was stocked or planted in a season.
func (n Names) Seed(cycle, lot string) string { return n.own("seed", cycle, cmp.Or(lot, "-")) }

// Input names a lot of an input by its record, or by the class of GS1 under which it was captured.
func (n Names) Input(record, lot string) string {
	if strings.Contains(record, "://") {
		class := strings.TrimSuffix(record, "/")
		if _, err := digitallink.Parse(class); err == nil {
			return class + "/10/" + digitallink.Escape(lot)
		}
		return class + "/" + lot
	}
	return n.own("input", record, cmp.Or(lot, "-"))
}

// Ref names whatever a Ref names.
func (n Names) Ref(r trace.Ref) string {
	switch r.Kind {
	case trace.RefLot:
		l, _ := r.Link()
		return n.Lot(l)
	case trace.RefBox:
		return n.Box(r.ID)
	case trace.RefPlace:
		return n.Place(r.ID)
	case trace.RefSeason:
		return n.Season(r.ID)
	case trace.RefSupply:
		at := strings.LastIndex(r.ID, "/")
		if at < 0 {
			return n.Input(r.ID, "")
		}
		return n.Input(r.ID[:at], r.ID[at+1:])
	case trace.RefBuyer, trace.RefItem:
	}
	return n.own(string(r.Kind), r.ID)
}

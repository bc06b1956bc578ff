package web

import (
	"encoding/json"
	"net/http"
	"slices"

	"aovuon/server/farm"
	"aovuon/server/trace"
)

// gs1Voc begins the IRIs of GS1's link types.
const gs1Voc = "https://ref.gs1.org/voc/"

// linksetContext makes JSON-LD of a linkset (GS1-Conformant resolver standard 1.2).
const linksetContext = `<https://ref.gs1.org/standards/resolver/linkset-context>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"`

// target is one link of a thing, by its link type (a name of GS1's Web Vocabulary).
type target struct {
	kind  string
	href  string
	title string
	mime  string
	lang  string
}

// targetsOf lists what there is about the lot of a link, the default first.
func (s *Server) targetsOf(w *words, d trace.Dossier, link trace.Link) ([]target, error) {
	page, err := trace.Address(s.base, link)
	if err != nil {
		return nil, err
	}
	title := w.t("linkset.page")
	out := []target{
		{kind: "defaultLink", href: page, title: title, mime: mimeHTML, lang: "vi"},
		{kind: "traceability", href: page, title: title, mime: mimeHTML, lang: "vi"},
		{kind: "traceability", href: page + "?lang=en", title: s.e.words[English].t("linkset.page"), mime: mimeHTML, lang: "en"},
	}
	if !d.Lot.Sellable() {
		return out, nil
	}
	if len(d.Certificates) > 0 {
		out = append(out, target{kind: "certificationInfo", href: page, title: w.t("linkset.certificates"), mime: mimeHTML, lang: "vi"})
	}
	if s.o.EPCIS != nil && toldPublicly(d.Lot.State) {
		out = append(out, target{kind: "epcis", href: s.base + "/epcis/lot" + d.Lot.Link().Path() + ".jsonld", title: "EPCIS 2.0", mime: mimeLD})
	}
	if s.o.LogKey.SignStatement != nil && toldPublicly(d.Lot.State) {
		out = append(out, target{kind: "jws", href: s.base + statementPath(d.Lot.Link()), title: w.t("linkset.jws"), mime: mimeJOSE})
	}
	if d.Lot.State == trace.Recalled {
		out = append(out, target{kind: "recallStatus", href: page, title: w.t("linkset.recall"), mime: mimeHTML, lang: "vi"})
	}
	return out, nil
}

// linkObject is a target as RFC 9264 and GS1's schema write it.
type linkObject struct {
	Href     string   `json:"href"`
	Title    string   `json:"title"`
	Type     string   `json:"type,omitempty"`
	Hreflang []string `json:"hreflang,omitempty"`
}

// linkset writes the targets of a thing as a linkset.
func linkset(anchor, description string, targets []target) ([]byte, error) {
	entry := map[string]any{"anchor": anchor, "itemDescription": description}
	for _, t := range targets {
		o := linkObject{Href: t.href, Title: t.title, Type: t.mime}
		if t.lang != "" {
			o.Hreflang = []string{t.lang}
		}
		links, _ := entry[gs1Voc+t.kind].([]linkObject)
		entry[gs1Voc+t.kind] = append(links, o)
	}
	return json.MarshalIndent(map[string]any{"linkset": []any{entry}}, "", "  ")
}

// sendLinkset answers with a linkset.
func (s *Server) sendLinkset(w http.ResponseWriter, r *http.Request, anchor, description string, targets []target) error {
	body, err := linkset(anchor, description, targets)
	if err != nil {
		return err
	}
	w.Header().Add("Link", linksetContext)
	s.sendPublic(w, r, mimeLinkset, append(body, '\n'))
	return nil
}

// sendPublic answers a program with what is the same for everybody.
func (s *Server) sendPublic(w http.ResponseWriter, r *http.Request, kind string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Cache-Control", "public, no-cache")
	if !s.unchanged(w, r, body) {
		s.write(w, body)
	}
}

// resolverDescription is the file by which programs know a GS1-conformant resolver (standard 1.2, description-file-schema).
type resolverDescription struct {
	Name                 string              `json:"name"`
	ResolverRoot         string              `json:"resolverRoot"`
	SupportedPrimaryKeys []string            `json:"supportedPrimaryKeys"`
	SupportedLinkType    []map[string]string `json:"supportedLinkType"`
	DefaultCanBeLinkset  bool                `json:"linkTypeDefaultCanBeLinkset"`
	DefaultCanBeAll      bool                `json:"linkTypeDefaultCanBeAll"` // of older readers
	ActiveLinkTypes      []string            `json:"activeLinkTypes"`
	Languages            bool                `json:"supportsLanguageVariants"`
	Validates            bool                `json:"validatesAIcombinations"`
	Contact              map[string]any      `json:"contact"`
}

// describeResolver answers /.well-known/gs1resolver.
func (s *Server) describeResolver(r *http.Request) (file, error) {
	f, err := s.wholeFarm(r.Context())
	if err != nil {
		return file{}, err
	}
	d := resolverDescription{
		Name: f.Coop.Name.VI, ResolverRoot: s.base, SupportedPrimaryKeys: s.resolvedKeys(),
		SupportedLinkType:   []map[string]string{{"namespace": gs1Voc, "prefix": "gs1:"}},
		DefaultCanBeLinkset: false, DefaultCanBeAll: false, Languages: true, Validates: true,
		Contact: map[string]any{"fn": f.Coop.Name.VI},
	}
	for _, kind := range activeLinkTypes() {
		d.ActiveLinkTypes = append(d.ActiveLinkTypes, gs1Voc+kind)
	}
	if a, ok := farm.AddressAt(f.Coop.Addresses, s.o.Now()); ok {
		d.Contact["hasAddress"] = map[string]string{"streetAddress": a.Text.VI, "countryName": "Việt Nam"}
	}
	body, err := json.MarshalIndent(d, "", "  ")
	return file{body: append(body, '\n'), mime: "application/json"}, err
}

// activeLinkTypes lists the link types that some linkset of ours has.
func activeLinkTypes() []string {
	kinds := []string{"defaultLink", "traceability", "certificationInfo", "recallStatus", "epcis", "jws", "logisticsInfo", "locationInfo", "masterData"}
	slices.Sort(kinds)
	return kinds
}

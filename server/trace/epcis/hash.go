package epcis

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/server/trace/digitallink"
)

// Context says what the prefixes of extensions stand for.
type Context map[string]string

// HashID returns the event's id by its content (CBV 2.0, 8.9.2): ni:///sha-256;…?ver=CBV2.0. Whoever has the event comes to the same id; it is a
// hash and no signature. recordTime, errorDeclaration, certificationInfo and the id itself are not in it.
func HashID(e Event, c Context) string {
	sum := sha256.Sum256([]byte(PreHash(e, c)))
	return "ni:///sha-256;" + hex.EncodeToString(sum[:]) + "?ver=CBV2.0"
}

// PreHash returns the text that the hash is of: names and values in the standard's order, in one spelling.
func PreHash(e Event, c Context) string {
	h := &hasher{context: c}
	h.pair("eventType", string(e.Type))
	h.time("eventTime", e.Time)
	h.b.WriteString("eventTimeZoneOffset=" + e.Offset)
	h.list("epcList", each("epc", e.EPCs))
	h.value("parentID", e.Parent)
	h.list("inputEPCList", each("epc", e.InEPCs))
	h.list("childEPCs", each("epc", e.Children))
	h.list("quantityList", quantities(e.Quantities))
	h.list("childQuantityList", quantities(e.ChildCounts))
	h.list("inputQuantityList", quantities(e.In))
	h.list("outputEPCList", each("epc", e.OutEPCs))
	h.list("outputQuantityList", quantities(e.Out))
	h.pair("action", e.Action)
	h.value("transformationID", e.TransformID)
	h.value("bizStep", steps().uri(e.Step))
	h.value("disposition", disposed().uri(e.Disposition))
	if p := e.Persistent; p != nil {
		h.list("persistentDisposition", append(sorted(words("set", p.Set, disposed())), sorted(words("unset", p.Unset, disposed()))...))
	}
	h.where("readPoint", e.ReadPoint)
	h.where("bizLocation", e.Location)
	h.list("bizTransactionList", sorted(parted(e.Transactions, func(t BizTransaction) string {
		return one("type", transactions().uri(t.Type)) + one("bizTransaction", t.ID)
	})))
	h.list("sourceList", sorted(parted(e.Sources, func(p SourceParty) string { return one("type", parties().uri(p.Type)) + one("source", p.ID) })))
	h.list("destinationList", sorted(parted(e.Destinations, func(p DestinationParty) string {
		return one("type", parties().uri(p.Type)) + one("destination", p.ID)
	})))
	h.list("sensorElementList", sorted(parted(e.Sensors, h.element)))
	h.list("ilmd", []string{h.extensions(e.ILMD)})
	h.b.WriteString(h.extensions(e.Ext))
	return h.b.String()
}

type hasher struct {
	b       strings.Builder
	context Context
}

// pair writes a name and a value as they are.
func (h *hasher) pair(name, value string) {
	if value != "" {
		h.b.WriteString(name + "=" + value)
	}
}

func (h *hasher) value(name, value string) { h.b.WriteString(one(name, value)) }

func (h *hasher) time(name string, t Time) { h.b.WriteString(instant(name, t)) }

// list writes a name and then its parts.
func (h *hasher) list(name string, parts []string) {
	if all := strings.Join(parts, ""); all != "" {
		h.b.WriteString(name + all)
	}
}

func (h *hasher) where(name string, w *Where) {
	if w != nil {
		h.list(name, []string{one("id", w.ID), h.extensions(w.Ext)})
	}
}

// one writes a name and a value in its canonical spelling; nothing for an empty value.
func one(name, value string) string {
	if value = canonical(value); value == "" {
		return ""
	}
	return name + "=" + value
}

func number(name string, v *float64) string {
	if v == nil {
		return ""
	}
	return name + "=" + strconv.FormatFloat(*v, 'f', -1, 64)
}

// instant writes a time in UTC with milliseconds.
func instant(name string, t Time) string {
	if t.IsZero() {
		return ""
	}
	return name + "=" + t.UTC().Round(time.Millisecond).Format("2006-01-02T15:04:05.000Z")
}

func each(name string, values []string) []string {
	return sorted(parted(values, func(v string) string { return one(name, v) }))
}

func words(name string, values []string, v vocabulary) []string {
	return parted(values, func(s string) string { return one(name, v.uri(s)) })
}

func quantities(all []Quantity) []string {
	return sorted(parted(all, func(q Quantity) string {
		return "quantityElement" + one("epcClass", q.Class) + number("quantity", q.Quantity) + one("uom", q.Unit)
	}))
}

func parted[T any](all []T, f func(T) string) []string {
	out := make([]string, 0, len(all))
	for _, v := range all {
		out = append(out, f(v))
	}
	return out
}

func sorted(all []string) []string {
	slices.Sort(all)
	return all
}

func (h *hasher) element(s SensorElement) string {
	text := "sensorElement"
	if m := s.Meta; m != nil {
		meta := instant("time", m.Time) + instant("startTime", m.From) + instant("endTime", m.To) + one("deviceID", m.Device) + one("deviceMetadata", m.About) +
			one("rawData", m.RawData) + one("dataProcessingMethod", m.Method) + one("bizRules", m.BizRules) + h.extensions(m.Ext)
		if meta != "" {
			text += "sensorMetadata" + meta
		}
	}
	return text + strings.Join(sorted(parted(s.Reports, h.report)), "") + h.extensions(s.Ext)
}

func (h *hasher) report(r SensorReport) string {
	text := "sensorReport" + one("type", measured().uri(r.Type)) + one("exception", alerts().uri(r.Exception)) + one("deviceID", r.Device) + one("deviceMetadata", r.About) +
		one("rawData", r.RawData) + one("dataProcessingMethod", r.Method) + instant("time", r.Time) + one("microorganism", r.Organism) +
		one("chemicalSubstance", r.Substance) + number("value", r.Value) + one("component", axes().uri(r.Component)) + one("stringValue", r.Text)
	if r.Bool != nil {
		text += "booleanValue=" + strconv.FormatBool(*r.Bool)
	}
	return text + one("hexBinaryValue", r.Hex) + one("uriValue", r.URI) + number("minValue", r.Min) + number("maxValue", r.Max) + number("meanValue", r.Mean) +
		number("sDev", r.SDev) + number("percRank", r.Rank) + number("percValue", r.Perc) + one("uom", r.Unit) + one("coordinateReferenceSystem", r.CRS) +
		one("bizRules", r.BizRules) + h.extensions(r.Ext)
}

// extensions writes members that are not the standard's, by name, with their namespace in braces.
func (h *hasher) extensions(ext map[string]any) string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(ext)) {
		out = append(out, h.extension(h.name(key), ext[key])...)
	}
	return strings.Join(sorted(out), "")
}

func (h *hasher) extension(name string, v any) []string {
	switch x := v.(type) {
	case map[string]any:
		return []string{name + h.extensions(x)}
	case []any:
		var out []string
		for _, e := range x {
			out = append(out, h.extension(name, e)...)
		}
		return out
	case []string:
		var out []string
		for _, e := range x {
			out = append(out, h.extension(name, e)...)
		}
		return out
	case string:
		return []string{name + value(x)}
	case float64:
		return []string{number(name, &x)}
	case int:
		return []string{name + "=" + strconv.Itoa(x)}
	case bool:
		return []string{name + "=" + strconv.FormatBool(x)}
	}
	return []string{name}
}

func value(s string) string {
	if s = canonical(s); s == "" {
		return ""
	}
	return "=" + s
}

// name expands the prefix of an extension: {https://example.org/voc/}word. What cannot be expanded is cut at its last slash or number sign.
func (h *hasher) name(key string) string {
	prefix, local, ok := strings.Cut(key, ":")
	if ns, known := h.context[prefix]; ok && known {
		return "{" + strings.TrimSuffix(ns, ":") + "}" + local
	}
	if at := strings.LastIndexAny(key, "/#"); at >= 0 {
		return "{" + key[:at+1] + "}" + key[at+1:]
	}
	return key
}

// canonical brings a value into one spelling: numbers without needless zeros, EPC URNs and Digital Links as canonical Digital Links of the finest
// identification.
func canonical(s string) string {
	s = strings.TrimSpace(s)
	if plainNumber(s) {
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return strconv.FormatFloat(f, 'f', -1, 64)
		}
	}
	l, err := digitallink.Parse(s)
	if strings.HasPrefix(s, "urn:epc:") {
		l, err = digitallink.FromURN(s)
	}
	if err != nil {
		return s
	}
	return finest(l).Canonical()
}

func plainNumber(s string) bool {
	digits := strings.TrimLeft(s, "+-")
	whole, part, _ := strings.Cut(digits, ".")
	return whole != "" && len(s)-len(digits) <= 1 && len(s) < 16 && strings.Trim(whole+part, "0123456789") == "" && !strings.HasSuffix(digits, ".")
}

// finest keeps the serial, or else the lot, of a product, and drops the variant.
func finest(l digitallink.Link) digitallink.Link {
	for _, ai := range []string{"21", "10"} {
		if v := l.Qualifier(ai); v != "" {
			l.Qualifiers = []digitallink.Element{{AI: ai, Value: v}}
			return l
		}
	}
	l.Qualifiers = slices.DeleteFunc(slices.Clone(l.Qualifiers), func(e digitallink.Element) bool { return e.AI == "22" })
	return l
}

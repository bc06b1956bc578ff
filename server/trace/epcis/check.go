package epcis

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"aovuon/server/trace/digitallink"
)

// Problem is one thing that is wrong with an event of a document.
type Problem struct {
	Event int    `json:"event"` // from 1; 0: the document as a whole
	ID    string `json:"eventID,omitempty"`
	Field string `json:"field"` // a path within the event, such as quantityList[0].uom
	Given string `json:"given,omitempty"`
	Fault string `json:"fault"` // what is wrong, and how to mend it
}

func (p Problem) String() string {
	where := "document"
	if p.Event > 0 {
		where = fmt.Sprintf("event %d", p.Event)
		if p.ID != "" {
			where += " (" + p.ID + ")"
		}
	}
	if p.Given != "" {
		return fmt.Sprintf("%s: %s: %q: %s", where, p.Field, p.Given, p.Fault)
	}
	return fmt.Sprintf("%s: %s: %s", where, p.Field, p.Fault)
}

// mostProblems bounds how many are told of one document.
const mostProblems = 200

// Check returns all that is wrong with an event: what the EPCIS 2.0.1 schema asks for, and what it cannot.
func Check(e Event) []Problem {
	c := &checker{}
	c.frame(e)
	c.shape(e)
	c.things(e)
	c.words(e)
	for i, s := range e.Sensors {
		c.sensor(fmt.Sprintf("sensorElementList[%d]", i), s)
	}
	for _, key := range sortedKeys(e.ILMD) {
		if !isURI(key) {
			c.add("ilmd", key, "a name here has a prefix, such as cbvmda:lotNumber")
		}
	}
	slices.SortStableFunc(c.out, func(a, b Problem) int { return cmp.Compare(a.Field, b.Field) })
	return c.out
}

func sortedKeys(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

type checker struct{ out []Problem }

func (c *checker) add(field, given, fault string) {
	if len(given) > 80 {
		given = given[:80]
	}
	if len(c.out) < mostProblems {
		c.out = append(c.out, Problem{Field: field, Given: strings.ToValidUTF8(given, "�"), Fault: fault})
	}
}

func (c *checker) frame(e Event) {
	if !slices.Contains(Types(), e.Type) {
		c.add("type", string(e.Type), "want one of ObjectEvent, AggregationEvent, TransactionEvent, TransformationEvent, AssociationEvent")
	}
	if e.Time.IsZero() {
		c.add("eventTime", "", "when it happened must be said: 2026-10-18T05:00:00+07:00")
	}
	if !validOffset(e.Offset) {
		c.add("eventTimeZoneOffset", e.Offset, "want ±hh:mm, such as +07:00")
	}
	if e.ID != "" && !isURI(e.ID) {
		c.add("eventID", e.ID, "want a URI, such as urn:uuid:…")
	}
	for i, uri := range e.Certificates {
		c.uri(fmt.Sprintf("certificationInfo[%d]", i), uri)
	}
	if e.Error != nil {
		if e.Error.At.IsZero() {
			c.add("errorDeclaration.declarationTime", "", "when the error was declared must be said")
		}
		c.word("errorDeclaration.reason", e.Error.Reason, reasons())
		for i, id := range e.Error.Corrective {
			c.uri(fmt.Sprintf("errorDeclaration.correctiveEventIDs[%d]", i), id)
		}
	}
}

// validOffset reports whether s is ±00:00 to ±13:59, or ±14:00.
func validOffset(s string) bool {
	if len(s) != 6 || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return false
	}
	at, err := time.Parse("15:04", s[1:])
	return err == nil && (at.Hour() < 14 || at.Hour() == 14 && at.Minute() == 0)
}

func validUnit(s string) bool {
	return len(s) >= 2 && len(s) <= 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// shape checks what each type needs.
func (c *checker) shape(e Event) {
	action := func() {
		if !slices.Contains([]string{Add, Observe, Delete}, e.Action) {
			c.add("action", e.Action, "want ADD, OBSERVE or DELETE")
		}
	}
	children := len(e.Children)+len(e.ChildCounts) > 0
	switch e.Type {
	case Object:
		action()
		if len(e.ILMD) > 0 && e.Action != Add {
			c.add("ilmd", "", "of an ObjectEvent it may stand with action ADD only")
		}
		if e.EPCs == nil && len(e.Quantities) == 0 && (len(e.Sensors) == 0 || e.ReadPoint == nil) {
			c.add("epcList", "", "the event says nothing: want epcList, quantityList, or sensorElementList with readPoint")
		}
	case Aggregation, Association:
		action()
		if !children && e.Action != Delete {
			c.add("childEPCs", "", "what went in must be said: childEPCs or childQuantityList")
		}
		if e.Parent == "" && (e.Type == Association || e.Action != Observe) {
			c.add("parentID", "", "into what it went must be said")
		}
	case Transaction:
		action()
		if len(e.Transactions) == 0 {
			c.add("bizTransactionList", "", "which transaction must be said")
		}
		if e.EPCs == nil && len(e.Quantities) == 0 && e.Action != Delete {
			c.add("epcList", "", "of what must be said: epcList or quantityList")
		}
	case Transformation:
		in, out := len(e.InEPCs)+len(e.In), len(e.OutEPCs)+len(e.Out)
		if (in == 0 || out == 0) && (e.TransformID == "" || in+out == 0) {
			c.add("inputQuantityList", "", "want what went in and what came out, or a transformationID with one of them")
		}
	}
	if e.Type != Object && e.Type != Transformation {
		if len(e.ILMD) > 0 {
			c.add("ilmd", "", "only an ObjectEvent and a TransformationEvent have it")
		}
		if e.Persistent != nil {
			c.add("persistentDisposition", "", "only an ObjectEvent and a TransformationEvent have it")
		}
	}
}

// things checks names and quantities.
func (c *checker) things(e Event) {
	for _, list := range []struct {
		field string
		uris  []string
	}{{"epcList", e.EPCs}, {"childEPCs", e.Children}, {"inputEPCList", e.InEPCs}, {"outputEPCList", e.OutEPCs}} {
		for i, uri := range list.uris {
			c.key(fmt.Sprintf("%s[%d]", list.field, i), uri)
		}
	}
	for _, list := range []struct {
		field string
		all   []Quantity
	}{{"quantityList", e.Quantities}, {"childQuantityList", e.ChildCounts}, {"inputQuantityList", e.In}, {"outputQuantityList", e.Out}} {
		for i, q := range list.all {
			field := fmt.Sprintf("%s[%d]", list.field, i)
			c.key(field+".epcClass", q.Class)
			if q.Unit != "" && !validUnit(q.Unit) {
				c.add(field+".uom", q.Unit, "want a code of UN/ECE Recommendation 20, such as KGM")
			}
			if q.Quantity != nil && *q.Quantity < 0 {
				c.add(field+".quantity", fmt.Sprint(*q.Quantity), "less than nothing")
			}
		}
	}
	if e.Parent != "" {
		c.key("parentID", e.Parent)
	}
	for field, w := range map[string]*Where{"readPoint": e.ReadPoint, "bizLocation": e.Location} {
		if w != nil {
			c.key(field+".id", w.ID)
		}
	}
	if e.TransformID != "" {
		c.uri("transformationID", e.TransformID)
	}
}

func (c *checker) uri(field, uri string) {
	if !isURI(uri) {
		c.add(field, uri, "want a URI")
	}
}

// key checks a URI that may be a number of GS1's: below id.gs1.org it must be one, whose check digit is right, and so must an EPC URN.
func (c *checker) key(field, uri string) {
	if !isURI(uri) {
		c.add(field, uri, "want a URI: a GS1 Digital Link, an EPC URN, or one of your own")
		return
	}
	var err error
	switch {
	case strings.HasPrefix(uri, digitallink.Root+"/"):
		_, err = digitallink.ParsePath(strings.TrimPrefix(uri, digitallink.Root), "")
	case strings.HasPrefix(uri, "urn:epc:id:sgtin:"), strings.HasPrefix(uri, "urn:epc:class:lgtin:"), strings.HasPrefix(uri, "urn:epc:id:sscc:"), strings.HasPrefix(uri, "urn:epc:id:sgln:"):
		_, err = digitallink.FromURN(uri)
	}
	if err != nil {
		c.add(field, uri, "no number of GS1's: "+strings.TrimPrefix(err.Error(), "trace: malformed Digital Link: "))
	}
}

func (c *checker) word(field, word string, v vocabulary) {
	if word == "" {
		return
	}
	if f := v.fault(word); f != "" {
		c.add(field, word, f)
	}
}

// words checks what is of a vocabulary.
func (c *checker) words(e Event) {
	c.word("bizStep", e.Step, steps())
	c.word("disposition", e.Disposition, disposed())
	if p := e.Persistent; p != nil {
		if len(p.Set)+len(p.Unset) == 0 {
			c.add("persistentDisposition", "", "want set or unset")
		}
		for i, d := range p.Set {
			c.word(fmt.Sprintf("persistentDisposition.set[%d]", i), d, disposed())
		}
		for i, d := range p.Unset {
			c.word(fmt.Sprintf("persistentDisposition.unset[%d]", i), d, disposed())
		}
	}
	for i, t := range e.Transactions {
		c.word(fmt.Sprintf("bizTransactionList[%d].type", i), t.Type, transactions())
		c.uri(fmt.Sprintf("bizTransactionList[%d].bizTransaction", i), t.ID)
	}
	for i, s := range e.Sources {
		c.word(fmt.Sprintf("sourceList[%d].type", i), cmp.Or(s.Type, "?"), parties())
		c.uri(fmt.Sprintf("sourceList[%d].source", i), s.ID)
	}
	for i, d := range e.Destinations {
		c.word(fmt.Sprintf("destinationList[%d].type", i), cmp.Or(d.Type, "?"), parties())
		c.uri(fmt.Sprintf("destinationList[%d].destination", i), d.ID)
	}
}

// sensor checks what was measured. TCR-53, step 29: what stands in sensorMetadata must not stand in a report again.
func (c *checker) sensor(field string, s SensorElement) {
	m := s.Meta
	if m == nil {
		m = &SensorMeta{}
	}
	if len(s.Reports) == 0 {
		c.add(field+".sensorReport", "", "want one report at least")
	}
	for i, r := range s.Reports {
		at := fmt.Sprintf("%s.sensorReport[%d]", field, i)
		if r.Type == "" {
			c.add(at+".type", "", "what was measured must be said")
		}
		c.word(at+".type", r.Type, measured())
		c.word(at+".exception", r.Exception, alerts())
		c.word(at+".component", r.Component, axes())
		for _, both := range []struct {
			name         string
			meta, report bool
		}{
			{"deviceID", m.Device != "", r.Device != ""},
			{"deviceMetadata", m.About != "", r.About != ""},
			{"rawData", m.RawData != "", r.RawData != ""},
			{"dataProcessingMethod", m.Method != "", r.Method != ""},
			{"time", !m.Time.IsZero(), !r.Time.IsZero()},
		} {
			if both.meta && both.report {
				c.add(at+"."+both.name, "", "stands in sensorMetadata, too: it may stand in one of them only (TCR-53)")
			}
		}
		for name, uri := range map[string]string{"chemicalSubstance": r.Substance, "microorganism": r.Organism, "deviceID": r.Device, "rawData": r.RawData} {
			if uri != "" {
				c.uri(at+"."+name, uri)
			}
		}
	}
}

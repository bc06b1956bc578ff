package epcis

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// What a document may be at most.
const (
	MostBytes  = 8 << 20
	MostEvents = 5000
)

// Captured is a document that somebody else wrote.
type Captured struct {
	Document
	Prefixes Context // of its @context
}

// Decode reads a document and checks every event of it. What is wrong is told event by event; with any problem nothing of it may be used. Events
// without an id get the hash of what they say.
func Decode(raw []byte) (Captured, []Problem) {
	var doc Captured
	if len(raw) > MostBytes {
		return doc, []Problem{{Field: "document", Fault: fmt.Sprintf("has %d bytes; at most %d are taken: send it in parts", len(raw), MostBytes)}}
	}
	var outer struct {
		Context json.RawMessage `json:"@context"`
		Type    string          `json:"type"`
		Version string          `json:"schemaVersion"`
		Created Time            `json:"creationDate"`
		Body    struct {
			Events []json.RawMessage `json:"eventList"`
		} `json:"epcisBody"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(&outer); err != nil {
		return doc, []Problem{{Field: "document", Fault: "is no JSON of this form: " + readable(err)}}
	}
	if d.More() {
		return doc, []Problem{{Field: "document", Fault: "goes on after its end: send one document at a time"}}
	}
	doc.Type, doc.Version, doc.Created = outer.Type, outer.Version, outer.Created
	var out []Problem
	wrong := func(field, given, fault string) { out = append(out, Problem{Field: field, Given: given, Fault: fault}) }
	if outer.Type != "EPCISDocument" {
		wrong("type", cutText(outer.Type), "want EPCISDocument")
	}
	if outer.Version != "2.0" {
		wrong("schemaVersion", cutText(outer.Version), "want 2.0: EPCIS 1.2 and XML are not read here, ask the sender for JSON-LD of EPCIS 2.0")
	}
	if outer.Created.IsZero() {
		wrong("creationDate", "", "when the document was made must be said")
	}
	var err error
	if doc.Prefixes, err = prefixes(outer.Context); err != nil {
		wrong("@context", "", err.Error())
	}
	if n := len(outer.Body.Events); n == 0 || n > MostEvents {
		wrong("epcisBody.eventList", "", fmt.Sprintf("has %d events, want 1 to %d", n, MostEvents))
		return doc, out
	}
	for i, text := range outer.Body.Events {
		e, bad := decodeEvent(text)
		for _, p := range bad {
			p.Event, p.ID = i+1, cutText(e.ID)
			out = append(out, p)
		}
		if len(out) >= mostProblems {
			return doc, append(out[:mostProblems], Problem{Field: "document", Fault: "more is wrong than is listed"})
		}
		if e.ID == "" {
			e.ID = HashID(e, doc.Prefixes)
		}
		doc.Body.Events = append(doc.Body.Events, e)
	}
	return doc, out
}

func decodeEvent(raw []byte) (Event, []Problem) {
	var e Event
	err := json.Unmarshal(raw, &e)
	if strange, ok := errors.AsType[*strangeError](err); ok {
		return e, []Problem{{
			Field: cmp.Or(cutText(strings.Join(strange.keys, ", ")), `""`),
			Fault: "no such member of EPCIS 2.0: an extension's name has a prefix, such as example:colour",
		}}
	}
	if err != nil {
		return e, []Problem{{Field: "event", Fault: readable(err)}}
	}
	return e, Check(e)
}

// readable says what is wrong with JSON in the words of its sender.
func readable(err error) string {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Sprintf("%s: a %s stands where something else is wanted", t.Field, t.Value)
	}
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("%s, at byte %d", s.Error(), s.Offset)
	}
	return cutText(err.Error())
}

func cutText(s string) string {
	if len(s) > 200 {
		s = s[:200]
	}
	return strings.ToValidUTF8(s, "�")
}

// prefixes reads the prefixes that a @context gives meaning to.
func prefixes(raw json.RawMessage) (Context, error) {
	out := Context{"cbvmda": "urn:epcglobal:cbv:mda:"}
	if len(raw) == 0 {
		return out, errors.New("is missing: want " + contextURI)
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		list = []json.RawMessage{raw}
	}
	for _, part := range list {
		var terms map[string]any
		if err := json.Unmarshal(part, &terms); err != nil {
			continue // the address of a context
		}
		for prefix, meaning := range terms {
			if uri, ok := meaning.(string); ok {
				out[prefix] = uri
			}
		}
	}
	return out, nil
}

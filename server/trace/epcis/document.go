package epcis

import (
	"encoding/json"
	"io"
	"time"
)

// Document is an EPCIS document.
type Document struct {
	Context []any  `json:"@context"`
	Type    string `json:"type"`
	Version string `json:"schemaVersion"`
	Created Time   `json:"creationDate"`
	Body    Body   `json:"epcisBody"`
}

// Body is what a document is about.
type Body struct {
	Events []Event `json:"eventList"`
}

// Results are the events that a query found.
type Results struct {
	QueryName string      `json:"queryName"`
	Body      ResultsBody `json:"resultsBody"`
}

// ResultsBody holds the events of Results.
type ResultsBody struct {
	Events []Event `json:"eventList"`
}

// contextURI is GS1's JSON-LD context of EPCIS 2.0.
const contextURI = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"

// context is the @context of our documents: GS1's, and what our prefixes stand for.
func (n Names) context() []any {
	return []any{contextURI, map[string]string(n.Context())}
}

// Document puts events into a document, made at a time.
func (n Names) Document(events []Event, at time.Time) Document {
	if events == nil {
		events = []Event{}
	}
	return Document{Context: n.context(), Type: "EPCISDocument", Version: "2.0", Created: local(at), Body: Body{Events: events}}
}

// Write writes a document or the answer of a query as JSON.
func Write(w io.Writer, doc any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	enc.SetEscapeHTML(false)
	return enc.Encode(doc)
}

// QueryDocument is the answer of GET /events (EPCIS 2.0, EPCISQueryDocument).
type QueryDocument struct {
	Context []any     `json:"@context"`
	Type    string    `json:"type"`
	Version string    `json:"schemaVersion"`
	Created Time      `json:"creationDate"`
	Body    QueryBody `json:"epcisBody"`
}

// QueryBody is the body of a QueryDocument.
type QueryBody struct {
	Results Results `json:"queryResults"`
}

// Answer puts the events that a query found into a document, made at a time.
func (n Names) Answer(events []Event, at time.Time) QueryDocument {
	if events == nil {
		events = []Event{}
	}
	return QueryDocument{
		Context: n.context(), Type: "EPCISQueryDocument", Version: "2.0", Created: local(at),
		Body: QueryBody{Results{QueryName: "SimpleEventQuery", Body: ResultsBody{events}}},
	}
}

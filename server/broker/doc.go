// Package broker is the way between the gateways' MQTT and ingest. Messages of the gateways' topics go in to ingest,
// receipts and settings come out to the gateways.
//
// Embedded is a broker inside this process, for one machine; Outside is a client of a broker that runs elsewhere. Both
// give the same: who may publish where is decided by the broker, that what arrives is true is decided by ingest.
package broker

import "strings"

// Violation is something a client tried that the broker refused.
type Violation struct {
	Gateway string // user name of the connection; empty where it never proved one
	Kind    ViolationKind
	Detail  string
}

// ViolationKind says what was tried.
type ViolationKind string

// The kinds of violation.
const (
	ForeignPublish   ViolationKind = "publish"        // to a topic that is not the gateway's
	ForeignSubscribe ViolationKind = "subscribe"      // likewise
	TooLarge         ViolationKind = "too-large"      // a packet above the limit: the connection was closed
	Credentials      ViolationKind = "credentials"    // wrong password, unknown or retired name, or another's client id
	Protocol         ViolationKind = "protocol"       // what is no MQTT 3.1.1, or what we do not offer
	Overflow         ViolationKind = "overflow"       // ingest could not follow; the gateway will send again
	Silent           ViolationKind = "silent"         // let in, and then said nothing
	Storage          ViolationKind = "broker-storage" // the broker's own store failed
)

// subjectOf writes an MQTT topic or filter as a NATS subject.
func subjectOf(topic string) string {
	return strings.NewReplacer("/", ".", "+", "*").Replace(topic)
}

// topicOf is the inverse of subjectOf for topics of gateways.
func topicOf(subject string) string { return strings.ReplaceAll(subject, ".", "/") }

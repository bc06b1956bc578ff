package epcis

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aovuon/server/farm"
)

// Type is the type of an event.
type Type string

// The types of events.
const (
	Object         Type = "ObjectEvent"
	Aggregation    Type = "AggregationEvent"
	Transaction    Type = "TransactionEvent"
	Transformation Type = "TransformationEvent"
	Association    Type = "AssociationEvent"
)

// Types lists every type.
func Types() []Type { return []Type{Object, Aggregation, Transaction, Transformation, Association} }

// Actions of events.
const (
	Add     = "ADD"
	Observe = "OBSERVE"
	Delete  = "DELETE"
)

// Event is one EPCIS event. Which fields which type takes is checked by Check.
type Event struct {
	Type         Type                `json:"type"`
	ID           string              `json:"eventID,omitempty"`
	Time         Time                `json:"eventTime"`
	Offset       string              `json:"eventTimeZoneOffset"`
	Recorded     Time                `json:"recordTime,omitzero"`
	Error        *ErrorDeclaration   `json:"errorDeclaration,omitempty"`
	EPCs         []string            `json:"epcList,omitempty"`
	Quantities   []Quantity          `json:"quantityList,omitempty"`
	Parent       string              `json:"parentID,omitempty"`
	Children     []string            `json:"childEPCs,omitempty"`
	ChildCounts  []Quantity          `json:"childQuantityList,omitempty"`
	InEPCs       []string            `json:"inputEPCList,omitempty"`
	In           []Quantity          `json:"inputQuantityList,omitempty"`
	OutEPCs      []string            `json:"outputEPCList,omitempty"`
	Out          []Quantity          `json:"outputQuantityList,omitempty"`
	TransformID  string              `json:"transformationID,omitempty"`
	Action       string              `json:"action,omitempty"`
	Step         string              `json:"bizStep,omitempty"`
	Disposition  string              `json:"disposition,omitempty"`
	Persistent   *PersistentDisposed `json:"persistentDisposition,omitempty"`
	ReadPoint    *Where              `json:"readPoint,omitempty"`
	Location     *Where              `json:"bizLocation,omitempty"`
	Transactions []BizTransaction    `json:"bizTransactionList,omitempty"`
	Sources      []SourceParty       `json:"sourceList,omitempty"`
	Destinations []DestinationParty  `json:"destinationList,omitempty"`
	Certificates Strings             `json:"certificationInfo,omitempty"`
	ILMD         map[string]any      `json:"ilmd,omitempty"`
	Sensors      []SensorElement     `json:"sensorElementList,omitempty"`
	Ext          map[string]any      `json:"-"` // by CURIE or URI
}

// Time is a time as EPCIS writes it: milliseconds, and the offset of the place.
type Time struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) { return []byte(`"` + t.String() + `"`), nil }

func (t Time) String() string { return t.Format("2006-01-02T15:04:05.000Z07:00") }

// UnmarshalJSON implements json.Unmarshaler.
func (t *Time) UnmarshalJSON(raw []byte) (err error) {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	if t.Time, err = time.Parse(time.RFC3339, s); err != nil {
		return fmt.Errorf("epcis: time %.40q: want 2006-01-02T15:04:05+07:00", s)
	}
	return nil
}

// local is a time at the co-op.
func local(t time.Time) Time { return Time{t.In(farm.Time())} }

// Quantity is so much of a class. Without a unit it is a count.
type Quantity struct {
	Class    string   `json:"epcClass"`
	Quantity *float64 `json:"quantity,omitempty"`
	Unit     string   `json:"uom,omitempty"` // UN/ECE Recommendation 20
}

// Where is a place.
type Where struct {
	ID  string         `json:"id"`
	Ext map[string]any `json:"-"`
}

// BizTransaction is a document of business.
type BizTransaction struct {
	Type string `json:"type,omitempty"`
	ID   string `json:"bizTransaction"`
}

// SourceParty is whose it was.
type SourceParty struct {
	Type string `json:"type"`
	ID   string `json:"source"`
}

// DestinationParty is whose it is from now on.
type DestinationParty struct {
	Type string `json:"type"`
	ID   string `json:"destination"`
}

// PersistentDisposed is what is true of things until it is taken back.
type PersistentDisposed struct {
	Set   []string `json:"set,omitempty"`
	Unset []string `json:"unset,omitempty"`
}

// ErrorDeclaration says that an event did not happen so.
type ErrorDeclaration struct {
	At         Time           `json:"declarationTime"`
	Reason     string         `json:"reason,omitempty"`
	Corrective []string       `json:"correctiveEventIDs,omitempty"`
	Ext        map[string]any `json:"-"`
}

// SensorElement is what was measured.
type SensorElement struct {
	Meta    *SensorMeta    `json:"sensorMetadata,omitempty"`
	Reports []SensorReport `json:"sensorReport"`
	Ext     map[string]any `json:"-"`
}

// SensorMeta says when and by what it was measured.
type SensorMeta struct {
	Time     Time           `json:"time,omitzero"`
	From     Time           `json:"startTime,omitzero"`
	To       Time           `json:"endTime,omitzero"`
	Device   string         `json:"deviceID,omitempty"`
	About    string         `json:"deviceMetadata,omitempty"`
	RawData  string         `json:"rawData,omitempty"`
	Method   string         `json:"dataProcessingMethod,omitempty"`
	BizRules string         `json:"bizRules,omitempty"`
	Ext      map[string]any `json:"-"`
}

// SensorReport is one measured value, or what values of a time come to.
type SensorReport struct {
	Type      string         `json:"type,omitempty"`
	Exception string         `json:"exception,omitempty"`
	Device    string         `json:"deviceID,omitempty"`
	About     string         `json:"deviceMetadata,omitempty"`
	RawData   string         `json:"rawData,omitempty"`
	Method    string         `json:"dataProcessingMethod,omitempty"`
	BizRules  string         `json:"bizRules,omitempty"`
	Time      Time           `json:"time,omitzero"`
	Organism  string         `json:"microorganism,omitempty"`
	Substance string         `json:"chemicalSubstance,omitempty"`
	Value     *float64       `json:"value,omitempty"`
	Component string         `json:"component,omitempty"`
	Text      string         `json:"stringValue,omitempty"`
	Bool      *bool          `json:"booleanValue,omitempty"`
	Hex       string         `json:"hexBinaryValue,omitempty"`
	URI       string         `json:"uriValue,omitempty"`
	Min       *float64       `json:"minValue,omitempty"`
	Max       *float64       `json:"maxValue,omitempty"`
	Mean      *float64       `json:"meanValue,omitempty"`
	SDev      *float64       `json:"sDev,omitempty"`
	Rank      *float64       `json:"percRank,omitempty"`
	Perc      *float64       `json:"percValue,omitempty"`
	Unit      string         `json:"uom,omitempty"`
	CRS       string         `json:"coordinateReferenceSystem,omitempty"`
	Ext       map[string]any `json:"-"`
}

// Strings is a list that may be written as a single text.
type Strings []string

// UnmarshalJSON implements json.Unmarshaler.
func (s *Strings) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		var one string
		err := json.Unmarshal(raw, &one)
		*s = Strings{one}
		return err
	}
	var all []string
	err := json.Unmarshal(raw, &all)
	*s = all
	return err
}

// withExt writes v, an object, and then the members of ext by name.
func withExt(v any, ext map[string]any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil || len(ext) == 0 {
		return raw, err
	}
	b := bytes.NewBuffer(raw[:len(raw)-1])
	for _, key := range slices.Sorted(maps.Keys(ext)) {
		name, err := json.Marshal(key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(ext[key])
		if err != nil {
			return nil, err
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// readExt reads the members of an object that are a CURIE or a URI, and names those that are neither known nor such.
func readExt(raw []byte, known string) (ext map[string]any, unknown []string, err error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, nil, err
	}
	for key, value := range all {
		if strings.Contains(known, " "+key+" ") {
			continue
		}
		if !strings.Contains(key, ":") {
			unknown = append(unknown, key)
			continue
		}
		var v any
		if err := json.Unmarshal(value, &v); err != nil {
			return nil, nil, err
		}
		if ext == nil {
			ext = map[string]any{}
		}
		ext[key] = v
	}
	slices.Sort(unknown)
	return ext, unknown, nil
}

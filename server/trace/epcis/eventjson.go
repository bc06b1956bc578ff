package epcis

import (
	"encoding/json"
	"fmt"
	"strings"
)

// The members that each object of the standard has, between blanks.
const (
	eventKeys = " type eventID eventTime eventTimeZoneOffset recordTime errorDeclaration epcList quantityList parentID childEPCs childQuantityList inputEPCList" +
		" inputQuantityList outputEPCList outputQuantityList transformationID action bizStep disposition persistentDisposition readPoint bizLocation" +
		" bizTransactionList sourceList destinationList certificationInfo ilmd sensorElementList @context "
	whereKeys   = " id "
	errorKeys   = " declarationTime reason correctiveEventIDs "
	elementKeys = " sensorMetadata sensorReport "
	metaKeys    = " time startTime endTime deviceID deviceMetadata rawData dataProcessingMethod bizRules "
	reportKeys  = " type exception deviceID deviceMetadata rawData dataProcessingMethod bizRules time microorganism chemicalSubstance value component stringValue" +
		" booleanValue hexBinaryValue uriValue minValue maxValue meanValue sDev percRank percValue uom coordinateReferenceSystem "
)

// strangeError names members that are neither EPCIS's nor have a namespace.
type strangeError struct{ keys []string }

func (e *strangeError) Error() string {
	return fmt.Sprintf("epcis: no such member: %.120s: an extension's name has a prefix, such as farm:%.40s", strings.Join(e.keys, ", "), e.keys[0])
}

// read reads an object with its extensions.
func read(raw []byte, known string, into any) (map[string]any, error) {
	if err := json.Unmarshal(raw, into); err != nil {
		return nil, err
	}
	ext, unknown, err := readExt(raw, known)
	if err == nil && len(unknown) > 0 {
		err = &strangeError{unknown}
	}
	return ext, err
}

// MarshalJSON implements json.Marshaler.
func (e Event) MarshalJSON() ([]byte, error) {
	type plain Event
	return withExt(plain(e), e.Ext)
}

// UnmarshalJSON implements json.Unmarshaler.
func (e *Event) UnmarshalJSON(raw []byte) (err error) {
	type plain Event
	e.Ext, err = read(raw, eventKeys, (*plain)(e))
	return err
}

// MarshalJSON implements json.Marshaler.
func (w Where) MarshalJSON() ([]byte, error) {
	type plain Where
	return withExt(plain(w), w.Ext)
}

// UnmarshalJSON implements json.Unmarshaler.
func (w *Where) UnmarshalJSON(raw []byte) (err error) {
	type plain Where
	w.Ext, err = read(raw, whereKeys, (*plain)(w))
	return err
}

// MarshalJSON implements json.Marshaler.
func (e ErrorDeclaration) MarshalJSON() ([]byte, error) {
	type plain ErrorDeclaration
	return withExt(plain(e), e.Ext)
}

// UnmarshalJSON implements json.Unmarshaler.
func (e *ErrorDeclaration) UnmarshalJSON(raw []byte) (err error) {
	type plain ErrorDeclaration
	e.Ext, err = read(raw, errorKeys, (*plain)(e))
	return err
}

// MarshalJSON implements json.Marshaler.
func (e SensorElement) MarshalJSON() ([]byte, error) {
	type plain SensorElement
	return withExt(plain(e), e.Ext)
}

// UnmarshalJSON implements json.Unmarshaler.
func (e *SensorElement) UnmarshalJSON(raw []byte) (err error) {
	type plain SensorElement
	e.Ext, err = read(raw, elementKeys, (*plain)(e))
	return err
}

// MarshalJSON implements json.Marshaler.
func (m SensorMeta) MarshalJSON() ([]byte, error) {
	type plain SensorMeta
	return withExt(plain(m), m.Ext)
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *SensorMeta) UnmarshalJSON(raw []byte) (err error) {
	type plain SensorMeta
	m.Ext, err = read(raw, metaKeys, (*plain)(m))
	return err
}

// MarshalJSON implements json.Marshaler.
func (r SensorReport) MarshalJSON() ([]byte, error) {
	type plain SensorReport
	return withExt(plain(r), r.Ext)
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *SensorReport) UnmarshalJSON(raw []byte) (err error) {
	type plain SensorReport
	r.Ext, err = read(raw, reportKeys, (*plain)(r))
	return err
}

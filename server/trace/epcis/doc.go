// Package epcis tells the story of lots in GS1's EPCIS 2.0 / CBV 2.0 (JSON-LD), and reads what suppliers tell in it.
//
// Diary entries, goods events, mounts of probes, evidence and certificates of a lot come in as a Source and go out as Events (Export); Events go
// out as a Document; a Document that somebody else wrote comes in (Decode) and goes out as Events, or with all that is wrong, event by event.
// Events are filtered by the standard's query parameters (Query). The package holds rules only: no SQL, no HTTP.
//
// What the JSON schema cannot check is checked here (Check): the vocabularies of CBV under every spelling, the attributes that must not stand in
// both sensorMetadata and sensorReport (TCR-53), the forms of GS1 keys.
package epcis

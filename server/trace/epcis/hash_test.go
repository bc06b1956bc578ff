package epcis_test

import (
	"encoding/json"
	"testing"

	"aovuon/server/trace/epcis"
)

// The first is the reference event of CBV 2.0's hash algorithm; the others are after the test files of the two public generators
// (RalphTro/epcis-event-hash-generator, MIT; evrythng/OpenEPCIS).
func TestPreHash_Golden(t *testing.T) {
	context := epcis.Context{"example": "https://ns.example.com/epcis/", "cbvmda": "urn:epcglobal:cbv:mda:"}
	for name, tc := range map[string]struct{ event, pre, id string }{
		"reference": {
			event: `{"type": "ObjectEvent", "eventID": "urn:uuid:a", "recordTime": "2020-03-04T11:00:31.000+01:00",
				"eventTime": "2020-03-04T11:00:30.000+01:00", "eventTimeZoneOffset": "+01:00",
				"epcList": ["urn:epc:id:sscc:4012345.0000000333", "urn:epc:id:sscc:4012345.0000000111", "https://id.example.com/00/040123450000002225"],
				"action": "OBSERVE", "bizStep": "departing", "readPoint": {"id": "urn:epc:id:sgln:4012345.00011.987"},
				"example:myField3": {"example:mySubField3": ["3", 1]}, "example:myField1": {"example:mySubField2": "5", "example:mySubField1": "2"},
				"example:myField2": 0}`,
			pre: `eventType=ObjectEventeventTime=2020-03-04T10:00:30.000ZeventTimeZoneOffset=+01:00epcListepc=https://id.gs1.org/00/040123450000001112` +
				`epc=https://id.gs1.org/00/040123450000002225epc=https://id.gs1.org/00/040123450000003338action=OBSERVE` +
				`bizStep=https://ref.gs1.org/cbv/BizStep-departingreadPointid=https://id.gs1.org/414/4012345000115/254/987` +
				`{https://ns.example.com/epcis/}myField1{https://ns.example.com/epcis/}mySubField1=2{https://ns.example.com/epcis/}mySubField2=5` +
				`{https://ns.example.com/epcis/}myField2=0{https://ns.example.com/epcis/}myField3{https://ns.example.com/epcis/}mySubField3=1` +
				`{https://ns.example.com/epcis/}mySubField3=3`,
			id: "ni:///sha-256;6ae96341e0acc6d7a261364751f60e68278a81cdf51da0abb6b4e617014e39d7?ver=CBV2.0",
		},
		"ilmd": {
			event: `{"type": "ObjectEvent", "eventTime": "2019-10-21T14:58:56+02:00", "eventTimeZoneOffset": "+02:00",
				"quantityList": [{"epcClass": "urn:epc:class:lgtin:4054739.099914.20160711", "quantity": 600.0, "uom": "KGM"}], "action": "ADD",
				"bizStep": "https://ref.gs1.org/cbv/BizStep-commissioning", "readPoint": {"id": "https://id.gs1.org/414/4054739000011"},
				"ilmd": {"cbvmda:bestBeforeDate": "2019-10-21"}, "certificationInfo": "https://example.org/c"}`,
			pre: `eventType=ObjectEventeventTime=2019-10-21T12:58:56.000ZeventTimeZoneOffset=+02:00quantityListquantityElementepcClass=https://id.gs1.org/01/04054739999148/10/20160711` +
				`quantity=600uom=KGMaction=ADDbizStep=https://ref.gs1.org/cbv/BizStep-commissioningreadPointid=https://id.gs1.org/414/4054739000011` +
				`ilmd{urn:epcglobal:cbv:mda}bestBeforeDate=2019-10-21`,
		},
		"parties": {
			event: `{"type": "ObjectEvent", "eventTime": "2020-02-20T12:50:00+01:00", "eventTimeZoneOffset": "+01:00", "epcList": ["https://a.example/01/09521234010036/22/V/10/A/21/7?17=270101"],
				"action": "OBSERVE", "bizStep": "urn:epcglobal:cbv:bizstep:departing", "readPoint": {"id": "geo:47.506694,11.104301"},
				"bizTransactionList": [{"type": "desadv", "bizTransaction": "urn:epcglobal:cbv:bt:4012345000009:ASN1099"}],
				"destinationList": [{"type": "possessing_party", "destination": "urn:epc:id:pgln:4023333.00000"}],
				"sourceList": [{"type": "urn:epcglobal:cbv:sdt:possessing_party", "source": "urn:epc:id:pgln:4012345.00000"}],
				"errorDeclaration": {"declarationTime": "2020-02-21T12:50:00+01:00", "reason": "did_not_occur"}}`,
			pre: `eventType=ObjectEventeventTime=2020-02-20T11:50:00.000ZeventTimeZoneOffset=+01:00epcListepc=https://id.gs1.org/01/09521234010036/21/7action=OBSERVE` +
				`bizStep=https://ref.gs1.org/cbv/BizStep-departingreadPointid=geo:47.506694,11.104301` +
				`bizTransactionListtype=https://ref.gs1.org/cbv/BTT-desadvbizTransaction=urn:epcglobal:cbv:bt:4012345000009:ASN1099` +
				`sourceListtype=https://ref.gs1.org/cbv/SDT-possessing_partysource=https://id.gs1.org/417/4012345000009` +
				`destinationListtype=https://ref.gs1.org/cbv/SDT-possessing_partydestination=https://id.gs1.org/417/4023333000000`,
		},
		"sensors": {
			event: `{"type": "ObjectEvent", "eventTime": "2019-04-02T15:00:00+01:00", "eventTimeZoneOffset": "+01:00", "action": "OBSERVE", "bizStep": "inspecting",
				"readPoint": {"id": "urn:epc:id:sgln:4012345.00005.0"}, "sensorElementList": [{"sensorMetadata": {"time": "2019-04-02T14:05:00.000+01:00",
				"deviceID": "urn:epc:id:giai:4000001.111", "rawData": "https://example.org/8004/401234599999"},
				"sensorReport": [{"type": "Temperature", "value": 26, "uom": "CEL"}, {"type": "gs1:AbsoluteHumidity", "value": 12.10, "uom": "A93", "component": "x"}]}]}`,
			pre: `eventType=ObjectEventeventTime=2019-04-02T14:00:00.000ZeventTimeZoneOffset=+01:00action=OBSERVEbizStep=https://ref.gs1.org/cbv/BizStep-inspecting` +
				`readPointid=https://id.gs1.org/414/4012345000054sensorElementListsensorElementsensorMetadatatime=2019-04-02T13:05:00.000Z` +
				`deviceID=https://id.gs1.org/8004/4000001111rawData=https://id.gs1.org/8004/401234599999` +
				`sensorReporttype=https://gs1.org/voc/AbsoluteHumidityvalue=12.1component=https://ref.gs1.org/cbv/Comp-xuom=A93` +
				`sensorReporttype=https://gs1.org/voc/Temperaturevalue=26uom=CEL`,
		},
	} {
		var e epcis.Event
		if err := json.Unmarshal([]byte(tc.event), &e); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := epcis.PreHash(e, context); got != tc.pre {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, tc.pre)
		}
		if got := epcis.HashID(e, context); tc.id != "" && got != tc.id {
			t.Errorf("%s: %s, want %s", name, got, tc.id)
		}
	}
}

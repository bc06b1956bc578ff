package epcis_test

import (
	"errors"
	"net/url"
	"slices"
	"testing"

	"aovuon/server/trace/epcis"
)

func ask(t *testing.T, pairs ...string) epcis.Query {
	t.Helper()
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	q, err := epcis.ParseQuery(v)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestQuery_Filters(t *testing.T) {
	src := season(t)
	src.Staff = true
	events := epcis.Export(src)
	lot := "https://id.gs1.org/01/" + fishGTIN + "/10/AO1-261018"
	for _, tc := range []struct {
		pairs []string
		is    func(epcis.Event) bool
	}{
		{[]string{"eventType", "TransformationEvent|AssociationEvent"}, func(e epcis.Event) bool { return e.Type == epcis.Transformation || e.Type == epcis.Association }},
		{[]string{"EQ_bizStep", "shipping"}, func(e epcis.Event) bool { return e.Step == "shipping" }},
		{[]string{"EQ_bizStep", "https://ref.gs1.org/cbv/BizStep-shipping|urn:epcglobal:cbv:bizstep:receiving"}, func(e epcis.Event) bool { return e.Step == "shipping" || e.Step == "receiving" }},
		{[]string{"EQ_disposition", "recalled"}, func(e epcis.Event) bool { return e.Disposition == "recalled" }},
		{[]string{"EQ_action", "ADD"}, func(e epcis.Event) bool { return e.Action == "ADD" }},
		{[]string{"GE_eventTime", "2026-10-18T00:00:00+07:00", "LT_eventTime", "2026-10-19T00:00:00+07:00"}, func(e epcis.Event) bool {
			return !e.Time.Before(at("2026-10-18 00:00")) && e.Time.Before(at("2026-10-19 00:00"))
		}},
		{[]string{"EXISTS_errorDeclaration", "true"}, func(e epcis.Event) bool { return e.Error != nil }},
		{[]string{"EQ_readPoint", "https://tx.example.vn/p/" + pond}, func(e epcis.Event) bool { return e.ReadPoint != nil }},
		{[]string{"MATCH_parentID", "urn:epc:id:sscc:9521234.0000000001"}, func(e epcis.Event) bool { return e.Parent == "https://id.gs1.org/00/"+box }},
		{[]string{"MATCH_anyEPC", "https://elsewhere.example/01/" + fishGTIN + "/10/AO1-261018/21/" + serial}, func(e epcis.Event) bool {
			return slices.Contains(e.EPCs, lot+"/21/"+serial) || slices.Contains(e.Children, lot+"/21/"+serial) || slices.Contains(e.OutEPCs, lot+"/21/"+serial)
		}},
		{[]string{"MATCH_anyEPCClass", lot}, func(e epcis.Event) bool { return names2(e, lot) }},
		{[]string{"MATCH_outputEPCClass", "https://id.gs1.org/01/" + fishGTIN, "eventType", "TransformationEvent"}, func(e epcis.Event) bool {
			return e.Type == epcis.Transformation && len(e.Out) == 1 && e.Out[0].Class != "" && e.Ext["farm:cte"] == "harvest"
		}},
	} {
		q := ask(t, tc.pairs...)
		n := 0
		for _, e := range events {
			if q.Match(e) {
				n++
			}
			if q.Match(e) != tc.is(e) {
				t.Errorf("%v: %s %s %s: %v", tc.pairs, e.Type, e.Step, e.Ext["farm:cte"], q.Match(e))
			}
		}
		if n == 0 {
			t.Errorf("%v finds nothing", tc.pairs)
		}
	}
}

func names2(e epcis.Event, class string) bool {
	for _, list := range [][]epcis.Quantity{e.Quantities, e.ChildCounts, e.In, e.Out} {
		for _, q := range list {
			if q.Class == class {
				return true
			}
		}
	}
	return false
}

func TestQuery_PagesHoldEveryEventOnce(t *testing.T) {
	events := epcis.Export(season(t))
	for _, direction := range []string{"ASC", "DESC"} {
		var got []string
		token := ""
		for range len(events) + 1 {
			pairs := []string{"perPage", "3", "orderBy", "eventTime", "orderDirection", direction}
			if token != "" {
				pairs = append(pairs, "nextPageToken", token)
			}
			page, next := ask(t, pairs...).Page(events)
			for _, e := range page {
				got = append(got, e.ID)
			}
			if token = next; token == "" {
				break
			}
		}
		if len(got) != len(events) {
			t.Fatalf("%s: %d of %d", direction, len(got), len(events))
		}
		seen := map[string]bool{}
		for i, id := range got {
			if seen[id] {
				t.Errorf("%s: %s twice", direction, id)
			}
			seen[id] = true
			if direction == "ASC" && id != events[i].ID {
				t.Errorf("event %d is out of order", i)
			}
		}
	}
}

func TestQuery_WhatCannotBeTakenIsSaid(t *testing.T) {
	for _, v := range []url.Values{
		{"EQ_colour": {"red"}},
		{"GE_eventTime": {"18/10/2026"}},
		{"perPage": {"0"}},
		{"perPage": {"1001"}},
		{"perPage": {"x"}},
		{"orderBy": {"size"}},
		{"orderDirection": {"UP"}},
		{"nextPageToken": {"%%"}},
		{"nextPageToken": {"YWJj"}},
		{"eventType": {"A", "B"}},
		{"eventType": {""}},
	} {
		_, err := epcis.ParseQuery(v)
		if bad, ok := errors.AsType[*epcis.QueryError](err); !ok || bad.Why == "" || v[bad.Param] == nil {
			t.Errorf("%v: %v", v, err)
		}
	}
}

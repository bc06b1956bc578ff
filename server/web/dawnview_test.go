package web

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/watch/dawn"
	"aovuon/server/watch/rule"
)

type oneOutlook struct{ o dawn.Outlook }

func (o oneOutlook) Outlook(string) (dawn.Outlook, bool) { return o.o, true }

// The forecast of a pond is for everybody where pages are open; what its farmer wrote of rain, fish and water is not.
func TestDawn_WhatStandsInTheDiaryIsForThoseWhoReadIt(t *testing.T) {
	e, err := newEngine()
	if err != nil {
		t.Fatal(err)
	}
	at, board := time.Date(2026, 11, 26, 15, 0, 0, 0, time.UTC), rule.NewBoard()
	board.Put(dawn.Topic, []rule.Decision{{Rule: dawn.Topic, Topic: dawn.Topic, Place: "A", Verdict: rule.Notice, At: at, Why: []rule.Reason{
		rule.Because("dawn_day"), rule.Because("dawn_rain", rule.At(at)), rule.Because("dawn_gasping", rule.At(at)), rule.Because("dawn_colour", rule.At(at)),
	}}})
	s := &Server{e: e, o: Options{Board: board, Dawn: oneOutlook{dawn.Outlook{At: at}}, OpenPages: true}}
	w := e.words["vi"]
	staff := context.WithValue(t.Context(), visitorKey{}, &account.Visitor{Account: account.Account{Role: account.Technician}})
	for ctx, want := range map[context.Context]int{t.Context(): 1, staff: 4} {
		v, ok := s.dawnView(ctx, w, farm.Place{Code: "A"}, at)
		if !ok || len(v.Why) != want || slices.ContainsFunc(v.Why, func(text string) bool { return strings.Contains(text, "dawn_") }) {
			t.Errorf("%v: %q, want %d reasons", ok, v.Why, want)
		}
	}
}

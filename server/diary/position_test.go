package diary_test

import (
	"encoding/json"
	"strings"
	"testing"

	"aovuon/server/diary"
)

// An event that is written tells of its phone no more than the square kilometre; what is read is kept as it was sent.
func TestPosition_IsReadWholeAndWrittenRounded(t *testing.T) {
	var e diary.Event
	if err := json.Unmarshal([]byte(`{"id":"x","position":{"lat":20.771342,"lon":106.224967,"acc":12.5}}`), &e); err != nil {
		t.Fatal(err)
	}
	if lat, lon := e.Position.Exact(); lat != 20.771342 || lon != 106.224967 || e.Position.Acc != 12.5 {
		t.Errorf("%v %v %v", lat, lon, e.Position.Acc)
	}
	raw, err := json.Marshal(e)
	if err != nil || !strings.Contains(string(raw), `"position":{"lat":20.775,"lon":106.225,"acc":12.5}`) {
		t.Errorf("%s, %v", raw, err)
	}
	for _, bad := range []string{`{"position":{"lat":200,"lon":1}}`, `{"position":{"acc":1}}`, `{"position":[1,2]}`, `{"position":{"lat":20,"lon":106,"acc":-1}}`} {
		if err := json.Unmarshal([]byte(bad), &e); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

package diary_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
)

// Nobody weighs 7.300000000000001 kg: amounts of the demo are as a person would write them down.
func TestDemo_NumbersAreWrittenByPeople(t *testing.T) {
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	season, err := diary.Demo(f, time.Date(2026, 11, 24, 20, 0, 0, 0, farm.Time()))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range season.Entries {
		for key := range e.Values {
			v, ok := e.Values.Number(key)
			if !ok {
				continue
			}
			n++
			if _, decimals, _ := strings.Cut(strconv.FormatFloat(v, 'f', -1, 64), "."); len(decimals) > 3 {
				t.Errorf("%s of %s: %v", key, e.Kind, v)
			}
		}
	}
	if n < 500 {
		t.Errorf("only %d numbers", n)
	}
}

package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/wire"
)

func TestSettingsReport_FitsADocument(t *testing.T) {
	r := wire.SettingsReport{Version: 3, State: wire.SettingsRefused, Why: strings.Repeat("x", 5000), Settings: map[string]json.RawMessage{"seal.every": []byte(`"1m"`)}}
	body, err := r.Body()
	if err != nil {
		t.Fatal(err)
	}
	want := r
	want.Why, want.Kept = r.Why[:900], []string{}
	if back, err := wire.ParseSettingsReport(body); err != nil || cmp.Diff(want, back) != "" {
		t.Errorf("%v %s", err, cmp.Diff(want, back))
	}
	r.Why = strings.Repeat("x", 899) + "độ"
	if body, err = r.Body(); err != nil || strings.Contains(body, "\ufffd") || strings.Contains(body, "xđ") {
		t.Errorf("a letter cut in two: %s, %v", body[len(body)-60:], err)
	}
	for i := range 500 {
		r.Settings[fmt.Sprintf("sensors.s%d.every", i)] = []byte(`"60s"`)
	}
	body, err = r.Body()
	if err != nil || len(body) > wire.MaxDocument {
		t.Fatalf("%d bytes, %v", len(body), err)
	}
	if back, err := wire.ParseSettingsReport(body); err != nil || !back.Cut || len(back.Settings) != 0 {
		t.Errorf("%+v, %v", back, err)
	}
}

func TestParseSettingsReport_Refuses(t *testing.T) {
	for _, bad := range []string{
		``, `{}`, `[]`, `{"state":"splendid"}`, `{"state":"applied","version":-1}`, `{"state":"applied","version":18446744073709551615}`,
		`{"state":"applied","settings":[]}`,
	} {
		if r, err := wire.ParseSettingsReport(bad); err == nil {
			t.Errorf("%s: %+v", bad, r)
		}
	}
	if r, err := wire.ParseSettingsReport(`{"version":3,"state":"applied","new":1}`); err != nil || r.Version != 3 {
		t.Errorf("a member of a later gateway: %+v, %v", r, err)
	}
}

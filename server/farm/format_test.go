package farm_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aovuon/server/farm"
	"aovuon/server/privacy"
)

func TestFormat_IsTheInverseOfParse(t *testing.T) {
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	f.Coop.Name.VI = `Tên: có "nháy", # và dòng - lạ`
	raw, err := farm.Format(f)
	if err != nil {
		t.Fatal(err)
	}
	again, err := farm.Parse("again.yaml", raw)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, again, cmp.Comparer(func(a, b privacy.Point) bool { return a.Equal(b) }), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

// A farm begins with a name, gets a zone, and then its first place; each is saved alone.
func TestCheck_LetsAFarmBegin(t *testing.T) {
	text := func(s string) farm.Text { return farm.Text{VI: s, EN: s} }
	f := &farm.Farm{}
	f.Coop.Name, f.Coop.Addresses = text("HTX Phú Khê"), []farm.Address{{Text: text("Thôn Phú Khê")}}
	if err := farm.Check(f); err != nil {
		t.Error(err)
	}
	f.Zones = []farm.Zone{{ID: "khu-ao", Name: text("Khu ao"), Addresses: f.Coop.Addresses}}
	if err := farm.Check(f); err != nil {
		t.Error(err)
	}
	raw, err := farm.Format(f)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := farm.Parse("farm.yaml", raw); err == nil || !strings.Contains(err.Error(), "at least one place") {
		t.Errorf("a farm file without places: %v", err)
	}
}

func TestCheck_SaysWhereAndAllAtOnce(t *testing.T) {
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	f.Places = slices.Clone(f.Places)
	f.Places[0].AreaM2 = -4
	f.Places[2].Zone = "nowhere"
	f.Mounts = append(slices.Clone(f.Mounts), f.Mounts[0]) // the same probe at two places at once
	var paths []string
	for _, m := range farm.Mistakes(farm.Check(f)) {
		paths = append(paths, m.Path)
	}
	if got := strings.Join(paths, " "); !strings.Contains(got, "places[0].area_m2 places[2].zone mounts[") {
		t.Errorf("mistakes at %s", got)
	}
}

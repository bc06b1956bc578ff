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

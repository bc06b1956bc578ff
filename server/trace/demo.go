package trace

import (
	"time"

	"aovuon/server/farm"
)

// DemoGTIN is a number of GS1's prefix 952, which is kept for demonstrations and belongs to nobody.
const DemoGTIN = "09521234010036"

// Demo is what the demo adds to the farm's demo: a product, a lot that was harvested the day before, and a certificate
// that is worth nothing and says so.
type Demo struct {
	Product     Product
	Lot         Lot
	Certificate Certificate
}

// NewDemo makes the demo's lot of tilapia from pond ao1, harvested at 5 in the morning of the day before start and
// stocked 134 days before that.
func NewDemo(f *farm.Farm, start time.Time) (Demo, bool) {
	var pond farm.Place
	for _, p := range f.Places {
		if p.Name == "ao1" {
			pond = p
		}
	}
	if pond.Code == "" {
		return Demo{}, false
	}
	day := start.In(farm.Time()).AddDate(0, 0, -1)
	harvested := time.Date(day.Year(), day.Month(), day.Day(), 5, 0, 0, 0, farm.Time())
	stocked := harvested.AddDate(0, 0, -134).Add(2 * time.Hour)
	return Demo{
		Product: Product{GTIN: DemoGTIN, Name: farm.Text{VI: "Cá rô phi tươi", EN: "Fresh tilapia"}},
		Lot: Lot{
			GTIN: DemoGTIN, Code: "AO1-" + harvested.Format("060102"), Places: []string{pond.Code},
			Species: farm.Text{VI: "cá rô phi", EN: "tilapia"}, Scientific: "Oreochromis niloticus",
			Stocked: stocked.UTC(), Harvested: harvested.UTC(), KG: 1850, State: Harvested, Demo: true,
		},
		Certificate: Certificate{
			ID: "demo-vietgap", Scheme: "VietGAP", Standard: "TCVN 13528-1:2022", Number: "MINH-HOA-000", Issuer: "—", GTIN: DemoGTIN, Place: pond.Code,
			From: stocked.AddDate(0, -6, 0).UTC(), To: harvested.AddDate(1, 0, 0).UTC(), Demo: true,
		},
	}, true
}

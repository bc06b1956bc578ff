package diary

import (
	"math"
	"time"

	"aovuon/server/form"
)

// season writes what was done at every place the farm has.
func (d *demo) season() {
	for _, p := range []pondSeason{
		{name: "ao1", species: "cá rô phi", hatchery: "Trại giống minh họa A", stocked: -135, ended: -1, count: 8400, grams: 5, most: 420, feed: 30},
		{name: "ao2", species: "cá trắm cỏ", hatchery: "Trại giống minh họa B", stocked: -120, count: 2800, grams: 60, most: 900, feed: 22},
		{name: "ao3", species: "cá chép", hatchery: "Trại giống minh họa B", stocked: -95, count: 3800, grams: 20, most: 500, feed: 16},
		{name: "ao4", species: "cá rô phi", hatchery: "Trại giống minh họa A", stocked: -84, count: 12200, grams: 6, most: 330, feed: 28},
	} {
		if d.place[p.name] != "" {
			d.pond(p)
		}
	}
	d.fish()
	if d.place["khoai1"] != "" && d.place["khoai2"] != "" {
		d.potato("khoai1", -90, -2)
		d.potato("khoai2", -64, 0)
		d.sprays()
	}
	if d.place["thuoc1"] != "" {
		d.herbs()
	}
	if d.place["lo1"] != "" {
		d.sheets()
	}
	d.coop()
}

// pondSeason is one season of one pond.
type pondSeason struct {
	name, species, hatchery string
	stocked, ended          int // days; ended 0: it goes on
	count, grams            float64
	most                    float64 // grams at the end
	feed                    float64 // kg a meal at the end
}

// grown is the share of a season that has passed on a day, by which fish grow and eat.
func (p pondSeason) grown(day int) float64 {
	return math.Pow(float64(day-p.stocked)/140, 1.3)
}

// round divides by the steps of one, which are whole: 73 × 0.1 would be 7.300000000000001.
func round(v, to float64) float64 {
	if to < 1 {
		return math.Round(v/to) / math.Round(1/to)
	}
	return math.Round(v/to) * to
}

// lotOf names the maker's lot that was open on a day: one a month.
func (d *demo) lotOf(day int) string { return "L" + d.at(day, 0).Format("0601") }

func (d *demo) pond(p pondSeason) {
	d.add(PondPrep, p.name, d.at(p.stocked-3, 8), form.Values{"dry_days": 5.0, "mud_removed": true, KeyInput: "demo-voi", KeyAmount: 200.0, KeyLot: "V01", "filled": d.at(p.stocked-2, 0).Format(time.DateOnly), "screened": true})
	d.add(Stocking, p.name, d.at(p.stocked, 7), form.Values{
		"species": p.species, "hatchery": p.hatchery, "quarantine_no": "KD-MH-" + p.name, "seed_lot": "G-" + p.name, "count": p.count, "size_g": p.grams,
	})
	last := p.ended
	for day := p.stocked + 1; day <= last; day++ {
		if p.name == "ao3" && day >= -40 && day <= -37 { // days that nobody wrote down: the book says so
			continue
		}
		if day == last && p.ended != 0 {
			break
		}
		for _, clock := range []float64{7, 16.5} {
			v := form.Values{KeyInput: "demo-cam-30", KeyAmount: round(2+p.feed*p.grown(day), 0.5), KeyLot: d.lotOf(day), "times": 1.0, "appetite": []string{"good", "good", "fair", "good", "good", "fair", "good"}[(day+700)%7]}
			d.add(Feeding, p.name, d.at(day, clock), v)
		}
	}
	for day := p.stocked + 2; day <= last; day += 5 {
		swing := math.Sin(float64(day))
		d.add(WaterTest, p.name, d.at(day, 6.5), form.Values{
			"oxygen": round(4.6+0.7*swing, 0.1), "ph": round(7.6+0.3*swing, 0.1), "day_part": "morning", "temperature": round(24+3*swing, 0.1), "tan": round(0.3+0.15*swing, 0.05), "transparency": round(32+6*swing, 1), "method": "kit", "serial": "KIT-MH-1",
		})
	}
	for day := p.stocked + 20; day <= last; day += 30 {
		d.add(Sampling, p.name, d.at(day, 9), form.Values{"n": 30.0, "mean_g": round(p.grams+(p.most-p.grams)*p.grown(day), 1)})
	}
	for day := p.stocked + 14; day <= last; day += 21 {
		d.add(EnvProduct, p.name, d.at(day, 9.5), form.Values{KeyInput: "demo-men", KeyAmount: 2.0, KeyLot: "M01", "reason": "giữ nước ổn định"})
	}
}

// fish are the treatments, the mortality and the harvests of the ponds, and what was corrected.
func (d *demo) fish() {
	day := func(n int) string { return d.at(n, 0).Format(time.DateOnly) }
	treat := func(place, input string, from, to int, kg float64, reason string) {
		d.add(Treatment, place, d.at(from, 8), form.Values{KeyInput: input, KeyAmount: kg, KeyLot: "T01", "reason": reason, "dose": "theo nhãn, trộn thức ăn", "prescriber": "Kỹ thuật viên minh họa", KeyEnd: day(to)})
	}
	if d.place["ao1"] != "" {
		treat("ao1", "demo-florfenicol", -70, -66, 1.2, "nghi bệnh do vi khuẩn: bơi lờ đờ, xuất huyết gốc vây")
		d.add("mortality", "ao1", d.at(-71, 6), form.Values{"count": 14.0, KeyKG: 2.1, "signs": "xuất huyết gốc vây", "disposal": "lime_pit"})
		wrong := d.add("mortality", "ao1", d.at(-68, 6), form.Values{"count": 50.0, "signs": "còn rải rác", "disposal": "lime_pit"})
		d.correct(wrong, d.at(-68, 10), form.Values{"count": 5.0, "signs": "còn rải rác", "disposal": "lime_pit"}, "gõ thừa số 0")
		twice := d.add("water_exchange", "ao1", d.at(-33, 8), form.Values{"volume_m3": 300.0, "direction": "exchange", "source": "mương"})
		d.correct(twice, d.at(-33, 8.5), nil, "ghi nhầm ao, đã ghi lại ở ao 2")
		d.late("water_exchange", "ao1", d.at(-25, 15), d.at(-25, 15.2), d.at(-22, 7), form.Values{"volume_m3": 250.0, "direction": "exchange", "source": "mương"}, "ngoài ao không có sóng")
		d.add(Harvest, "ao1", d.at(-1, 5), form.Values{KeyKG: 1850.0, "product": "demo-ro-phi", "size": "1", "harvest_method": "net", "cooling": "live", "destination": "Công ty thực phẩm minh họa", "final": true})
		d.add(Sale, "ao1", d.at(-1, 7), form.Values{"buyer": "demo-cong-ty", KeyKG: 1600.0, "lot_code": "AO1-" + d.at(-1, 5).Format("060102"), "contract": "demo-hd-ca", "price": 34000.0, "document_no": "PX-MH-01"})
	}
	if d.place["ao2"] != "" {
		d.add("water_exchange", "ao2", d.at(-33, 8.6), form.Values{"volume_m3": 300.0, "direction": "exchange", "source": "mương"})
		d.add("health", "ao2", d.at(-20, 7), form.Values{"signs": "đốm đỏ trên thân", "affected_pct": 3.0})
		treat("ao2", "demo-oxytetra", -19, -15, 1.5, "đốm đỏ")
		// Harvested within the withdrawal: it is kept as it was, and the lot is held.
		d.add(Harvest, "ao2", d.at(-6, 6), form.Values{KeyKG: 120.0, "product": "demo-tram", "size": "2", "harvest_method": "net", "cooling": "live"})
	}
	if d.place["ao4"] != "" {
		treat("ao4", "demo-florfenicol", -5, -1, 0.9, "nghi bệnh do vi khuẩn")
		d.late("mortality", "ao4", d.at(-5, 6), d.at(-2, 19), d.at(-2, 19.1), form.Values{"count": 9.0, KeyKG: 1.0, "signs": "lồi mắt", "disposal": "buried"}, "ghi lại từ sổ tay")
	}
}

// potato is one season of a potato plot; harvested 0: not yet.
func (d *demo) potato(plot string, planted, harvested int) {
	p := d.areaOf(plot)
	d.add("land_prep", plot, d.at(planted-2, 8), form.Values{"land_history": "lúa mùa", "tillage": "ridge", "soil_test": "PKN-MH-" + plot})
	d.add(Seeding, plot, d.at(planted-1, 9), form.Values{"variety": map[string]string{"khoai1": "Marabel", "khoai2": "Solara"}[plot], "seed_class": "certified", "seed_lot": "KT-MH-" + plot, "supplier": "Trung tâm giống minh họa", KeyKG: round(p*0.12, 10)})
	d.add(Fertilizing, plot, d.at(planted, 6.5), form.Values{KeyInput: "demo-phan-chuong", KeyAmount: round(p*1.2, 50), KeyLot: "PC1", "fert_method": "basal", "area_m2": p})
	d.add(Planting, plot, d.at(planted, 8), form.Values{"density_m2": 5.0, "area_m2": p, "spacing": "30 cm, luống 1,2 m"})
	for n, after := range []int{20, 40} {
		d.add(Fertilizing, plot, d.at(planted+after, 7), form.Values{KeyInput: "demo-npk", KeyAmount: round(p*0.025*float64(n+1), 5), KeyLot: "N01", "fert_method": "topdress", "area_m2": p})
	}
	last := harvested
	for day := planted + 6; day <= last; day += 7 {
		d.add("scouting", plot, d.at(day, 6.5), form.Values{"pest": "mốc sương", "affected_pct": round(math.Max(0, 2+2*math.Sin(float64(day))), 0.5), "blight_score": 1.0})
		if day < last-14 {
			d.add("irrigation", plot, d.at(day+1, 16), form.Values{"source": "canal", "minutes": 90.0})
		}
	}
	d.add("weeding", plot, d.at(planted+22, 7), form.Values{"weed_method": "hand", "workers": 4.0})
	if harvested != 0 {
		d.add(Harvest, plot, d.at(harvested, 7), form.Values{KeyKG: 9600.0, "product": "demo-khoai", "size": "1", "harvest_method": "hand", "final": true})
		d.add("post_harvest", plot, d.at(harvested, 15), form.Values{"step": "sort", KeyKG: 9600.0})
		d.add(Sale, plot, d.at(harvested+1, 8), form.Values{"buyer": "demo-cong-ty", KeyKG: 8000.0, "lot_code": "KHOAI1-" + d.at(harvested, 7).Format("060102"), "contract": "demo-hd-khoai", "price": 8800.0, "document_no": "PX-MH-02"})
	}
}

func (d *demo) areaOf(name string) float64 {
	p, _ := d.farm.Place(d.place[name])
	return p.AreaM2
}

// sprays are those of the potato: the first plot's are over, the second's runs, and one lies near a pond.
func (d *demo) sprays() {
	spray := func(plot, input string, day int, amount float64, pest string) {
		d.add(Spraying, plot, d.at(day, 16), form.Values{
			KeyInput: input, KeyAmount: amount, KeyLot: "B01", "pest": pest, "dose": "theo nhãn", "water_l": 400.0, "area_m2": d.areaOf(plot), "sprayer": "chủ hộ", "ppe": true, "equipment": "bình điện 20 L",
		})
		d.add("waste", plot, d.at(day, 17), form.Values{"waste": "packs", KeyKG: 0.3, "destination": "bể chứa vỏ thuốc của xã"})
	}
	spray("khoai1", "demo-mancozeb", -55, 1.6, "mốc sương")
	spray("khoai1", "demo-cyper", -48, 0.4, "sâu xám")
	spray("khoai1", "demo-mancozeb", -30, 1.6, "mốc sương")
	spray("khoai2", "demo-mancozeb", -28, 1.5, "mốc sương")
	spray("khoai2", "demo-mancozeb", -4, 1.5, "mốc sương")
}

func (d *demo) herbs() {
	for day := -380; day <= -20; day += 90 {
		d.add(Fertilizing, "thuoc1", d.at(day, 7), form.Values{KeyInput: "demo-phan-chuong", KeyAmount: 500.0, KeyLot: "PC1", "fert_method": "topdress", "area_m2": d.areaOf("thuoc1")})
	}
	d.add(Seeding, "thuoc1", d.at(-397, 8), form.Values{"variety": "đinh lăng lá nhỏ", "seed_class": "cutting", "seed_lot": "DL-MH-1", "supplier": "Vườn giống minh họa", "botanical_id": "Polyscias fruticosa, giám định minh họa"})
	d.add(Planting, "thuoc1", d.at(-396, 8), form.Values{"density_m2": 3.0, "area_m2": d.areaOf("thuoc1"), "spacing": "50 × 60 cm"})
	for day := -360; day < 0; day += 13 {
		d.add("scouting", "thuoc1", d.at(day, 7), form.Values{"pest": "rệp sáp", "affected_pct": 1.0})
	}
	for day := -120; day < 0; day += 12 {
		d.add("irrigation", "thuoc1", d.at(day, 16), form.Values{"source": "well", "minutes": 60.0})
	}
	for day := -350; day < 0; day += 60 {
		d.add("weeding", "thuoc1", d.at(day, 8), form.Values{"weed_method": "hand", "workers": 2.0})
	}
}

// sheets are the batches of bánh đa.
func (d *demo) sheets() {
	for day := -28; day <= -1; day += 3 {
		lot := "BD-" + d.at(day, 6).Format("060102")
		d.add(Batch, "lo1", d.at(day, 16), form.Values{
			"inputs": []string{"GAO-MH-" + d.at(day, 0).Format("0601")}, "in_kg": 60.0, "lot_code": lot, "out_kg": 52.0, "soak": "ngâm 4 giờ, xay nước",
			"dry_begin": d.at(day, 8).UTC().Format(time.RFC3339), "dry_end": d.at(day, 15.5).UTC().Format(time.RFC3339), "moisture_pct": 11.5,
		})
		d.add("packing", "lo1", d.at(day, 17), form.Values{"lot_code": lot, "packs": 104.0, "pack_g": 500.0, "best_before": d.at(day+180, 0).Format(time.DateOnly)})
		d.add("cleaning", "lo1", d.at(day, 18), form.Values{"what": "máy tráng, giàn phơi", "agent": "nước sạch"})
	}
}

// coop is what belongs to no place.
func (d *demo) coop() {
	d.add("training", "", d.at(-62, 14), form.Values{"topic": "Ghi nhật ký bằng điện thoại, thời gian cách ly", "people": 18.0, "trainer": "Trạm khuyến nông minh họa"})
	d.add("equipment", "", d.at(-45, 9), form.Values{"what": "bình phun điện", "upkeep": "check", "result": "đạt"})
	d.add("audit", "", d.at(-21, 9), form.Values{"scope": "khu ao Phú Khê", "findings": "ao 3 thiếu ghi cho ăn 4 ngày", "next": d.at(60, 0).Format(time.DateOnly)})
	d.add("weather", "", d.at(-12, 6), form.Values{"sky": "rain", "rain_mm": 42.0})
}

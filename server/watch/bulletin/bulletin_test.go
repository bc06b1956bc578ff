package bulletin_test

import (
	"slices"
	"testing"

	"aovuon/server/farm"
	"aovuon/server/watch/bulletin"
	"aovuon/server/watch/rule"
)

const ao1, ao2, ao3, ao4, khoai1 = "F7NE3CDQ7", "CSSHRYF9K", "72DQY3KX0", "E8SG6VC0T", "WW08G83KH"

func decided(place, topic string, v rule.Verdict, do ...string) rule.Decision {
	d := rule.Decision{Place: place, Topic: topic, Verdict: v}
	for _, k := range do {
		d.Do = append(d.Do, rule.Because(k))
	}
	return d
}

func TestCompose_ByTopicVerdictAndZone(t *testing.T) {
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	parts := bulletin.Compose(f, []rule.Decision{
		decided(khoai1, "late_blight", rule.Warn, "blight_spray"), decided(ao4, "dawn_oxygen", rule.Warn, "dawn_on"), decided(ao1, "dawn_oxygen", rule.Warn, "dawn_on"),
		decided(ao2, "dawn_oxygen", rule.Unknown), decided(ao3, "dawn_oxygen", rule.Calm), decided(ao3, "probe_care", rule.Crit), decided(ao1, "outbreak", rule.Calm),
		decided("NOWHERE", "dawn_oxygen", rule.Crit),
	}, []string{"drought"}, bulletin.People{})
	var topics []string
	for _, p := range parts {
		topics = append(topics, p.Topic)
	}
	if !slices.Equal(topics, []string{"dawn_oxygen", "late_blight", "outbreak", "drought"}) {
		t.Fatalf("%v", topics)
	}
	dawn := parts[0]
	if len(dawn.Groups) != 2 || dawn.Groups[0].Verdict != rule.Warn || dawn.Groups[0].Zone.VI != "Khu ao Phú Khê" || len(dawn.Groups[0].Named) != 2 || dawn.Groups[0].Named[0].VI != "Ao 1" ||
		len(dawn.Groups[0].Do) != 2 || dawn.Groups[1].Verdict != rule.Unknown || dawn.Blind {
		t.Errorf("%+v", dawn)
	}
	if len(parts[2].Groups) != 0 || parts[2].Places != 1 || !parts[3].Blind || parts[3].Places != 0 {
		t.Errorf("%+v", parts[2:])
	}
}

// Nobody is named, not even by the name of a pond.
func TestCompose_NamesNobody(t *testing.T) {
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	for i, title := range []string{"Ao ông Tâm", "Ao Nguyễn Văn Tâm", "Ao 3", "Ao 4"} {
		f.Places[i].Title = farm.Text{VI: title}
	}
	var all []rule.Decision
	for _, p := range f.Places[:4] {
		all = append(all, decided(p.Code, "dawn_oxygen", rule.Warn))
	}
	parts := bulletin.Compose(f, all, nil, bulletin.People{Names: []string{"Nguyễn Văn Tâm"}})
	g := parts[0].Groups[0]
	if len(g.Named) != 2 || g.Named[0].VI != "Ao 3" || g.More != 2 {
		t.Errorf("%+v", g)
	}
	people := bulletin.People{Names: []string{"Trần Thị Hoa"}}
	for title, want := range map[string]bool{
		"Ao 1": false, "Ruộng khoai 2": false, "Ao bà Hoa": true, "Ruộng nhà anh Sơn": true, "ao trần thị  hoa": true, "Hộ 01": true, "Ao Hoa Sen": false, "Ao Bà": false, "Khu ao Phú Khê": false,
	} {
		if got := people.Tells(title); got != want {
			t.Errorf("%q: %v", title, got)
		}
	}
}

func TestCompose_ManyPlacesAreCounted(t *testing.T) {
	f := &farm.Farm{Zones: []farm.Zone{{ID: "z", Name: farm.Text{VI: "Khu Đông"}}}}
	var all []rule.Decision
	for i := range 20 {
		code := string(rune('A' + i))
		f.Places = append(f.Places, farm.Place{Code: code, Zone: "z", Kind: farm.Pond, Title: farm.Text{VI: "Ao " + code}})
		all = append(all, decided(code, "dawn_oxygen", rule.Warn))
	}
	if g := bulletin.Compose(f, all, nil, bulletin.People{})[0].Groups[0]; len(g.Named) != bulletin.MostNamed || g.More != 20-bulletin.MostNamed {
		t.Errorf("%+v", g)
	}
}

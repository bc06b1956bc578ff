package farm_test

import (
	"strings"
	"testing"
	"time"

	"aovuon/server/farm"
	"aovuon/server/form"
)

// The middles of FAO-56 table 19 as the reference of the project prints them, and what is made of a field capacity that was read.
func TestGround_Holds(t *testing.T) {
	for name, tc := range map[string]struct {
		g         farm.Ground
		want      farm.Holding
		estimated bool
		ok        bool
	}{
		"sandy loam":                {farm.Ground{Texture: "sandy_loam"}, farm.Holding{FieldCapacity: 23, WiltingPoint: 11}, true, true},
		"loam":                      {farm.Ground{Texture: "loam"}, farm.Holding{FieldCapacity: 25, WiltingPoint: 12}, true, true},
		"silt loam":                 {farm.Ground{Texture: "silt_loam"}, farm.Holding{FieldCapacity: 29, WiltingPoint: 15}, true, true},
		"silty clay loam":           {farm.Ground{Texture: "silty_clay_loam"}, farm.Holding{FieldCapacity: 33.5, WiltingPoint: 20.5}, true, true},
		"clay":                      {farm.Ground{Texture: "clay"}, farm.Holding{FieldCapacity: 36, WiltingPoint: 22}, true, true},
		"read, wilting as far away": {farm.Ground{Texture: "loam", FieldCapacity: 31}, farm.Holding{FieldCapacity: 31, WiltingPoint: 18}, false, true},
		"both known":                {farm.Ground{FieldCapacity: 31, WiltingPoint: 12}, farm.Holding{FieldCapacity: 31, WiltingPoint: 12}, false, true},
		"wilting known":             {farm.Ground{Texture: "clay", WiltingPoint: 20}, farm.Holding{FieldCapacity: 36, WiltingPoint: 20}, true, true},
		"nothing known":             {},
		"read, no texture":          {g: farm.Ground{FieldCapacity: 31}},
		"too dry for its texture":   {g: farm.Ground{Texture: "loam", FieldCapacity: 12}},
		"holds nothing":             {g: farm.Ground{FieldCapacity: 20, WiltingPoint: 18}},
	} {
		got, estimated, ok := tc.g.Holds()
		if got != tc.want || estimated != tc.estimated || ok != tc.ok {
			t.Errorf("%s: %v, estimated %t, %t; want %v, %t, %t", name, got, estimated, ok, tc.want, tc.estimated, tc.ok)
		}
	}
	for _, name := range farm.Textures() {
		if _, ok := farm.Texture(name); !ok {
			t.Errorf("%s has no figures", name)
		}
	}
}

func TestGround_WhatNoSoilDoesIsRefused(t *testing.T) {
	for name, g := range map[string]struct {
		g    farm.Ground
		want string
	}{
		"texture":          {farm.Ground{Texture: "lava"}, "places[4].ground.texture"},
		"too much":         {farm.Ground{FieldCapacity: 75}, "places[4].ground.field_capacity"},
		"a fraction":       {farm.Ground{FieldCapacity: 0.29}, "places[4].ground.field_capacity"},
		"negative":         {farm.Ground{WiltingPoint: -3}, "places[4].ground.wilting_point"},
		"wilting above":    {farm.Ground{FieldCapacity: 20, WiltingPoint: 25}, "places[4].ground.wilting_point"},
		"above the table":  {farm.Ground{Texture: "loam", WiltingPoint: 24}, "places[4].ground.wilting_point"},
		"read, no value":   {farm.Ground{Probe: "gw-vuon/khoai1-am"}, "places[4].ground.field_capacity"},
		"a name too long":  {farm.Ground{FieldCapacity: 30, Probe: strings.Repeat("a", 90)}, "places[4].ground.probe"},
		"nothing is wrong": {farm.Ground{Texture: "clay", FieldCapacity: 38, WiltingPoint: 21, On: time.Date(2026, 11, 3, 17, 0, 0, 0, time.UTC), Probe: "gw/x"}, ""},
	} {
		f, err := farm.Demo()
		if err != nil {
			t.Fatal(err)
		}
		f.Places[4].Ground = g.g
		var at []string
		for _, m := range farm.Mistakes(farm.Check(f)) {
			at = append(at, m.Path)
		}
		if got := strings.Join(at, " "); got != g.want {
			t.Errorf("%s: mistakes at %q, want %q", name, got, g.want)
		}
	}
}

// A place's form and its row of a table lose nothing of it.
func TestGround_GoesThroughForms(t *testing.T) {
	p := farm.Place{Ground: farm.Ground{Texture: "loam", FieldCapacity: 27.25, WiltingPoint: 13.5, On: time.Date(2026, 11, 3, 17, 0, 0, 0, time.UTC), Probe: "gw-vuon/khoai1-am"}}
	got, bad := farm.PlaceOf("", p.Values())
	if len(bad) > 0 || got.Ground != p.Ground {
		t.Errorf("%+v, %v", got.Ground, bad)
	}
	if v := (farm.Place{}).Values(); v["soil_texture"] != nil || v["field_capacity"] != nil || v["capacity_on"] != nil {
		t.Errorf("nothing is known, and the form says %v", v)
	}
	if got, _ := farm.PlaceOf("", form.Values{}); got.Ground != (farm.Ground{}) {
		t.Errorf("of an empty form: %+v", got.Ground)
	}
}

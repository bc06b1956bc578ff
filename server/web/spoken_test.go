package web

import (
	"testing"
	"time"

	"aovuon/server/farm"
)

func TestWords_WhatIsPrintedIsSaid(t *testing.T) {
	e, err := newEngine()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range [][3]string{
		{"vi", "ôxy 3,2\u00a0mg/L lúc 05:30", "ôxy 3,2 mi-li-gam trên một lít lúc 5 giờ 30"},
		{"vi", "từ 03:00.", "từ 3 giờ."},
		{"vi", "Từ lần phun 20/11/2026 đã", "Từ lần phun ngày 20 tháng 11 đã"},
		{"vi", "Ngày 02/01/2027 ghi", "Ngày 2 tháng 1 ghi"},
		{"vi", "đến ngày 24/11/2026.", "đến ngày 24 tháng 11."},
		{"vi", "tưới 25 mm, 40 m³ nước", "tưới 25 mi-li-mét, 40 mét khối nước"},
		{"vi", "ẩm 90 %, lạnh 9,5 °C", "ẩm 90 phần trăm, lạnh 9,5 độ"},
		{"vi", "cách 500 m, 3 ha", "cách 500 mét, 3 héc-ta"},
		{"vi", "12 mùa, 3 mẻ, 5 kgf", "12 mùa, 3 mẻ, 5 kgf"},
		{"vi", "1:30 phần, 25:61", "1 giờ 30 phần, 25:61"},
		{"en", "oxygen 3.2\u00a0mg/L at 05:30", "oxygen 3.2 milligrams per litre at 5 30"},
		{"en", "of 24/11/2026", "of 24 November"},
		{"en", "25 mm", "25 millimetres"},
		{"en", "at 04:00", "at 4 o'clock"},
	} {
		if got := e.words[tt[0]].spoken(tt[1]); got != tt[2] {
			t.Errorf("%q: %q, want %q", tt[1], got, tt[2])
		}
	}
	for hour, want := range map[int]string{0: "sáng", 10: "sáng", 11: "trưa", 13: "trưa", 14: "chiều", 17: "chiều", 18: "tối", 23: "tối"} {
		if got := e.words["vi"].spokenMoment(time.Date(2026, 3, 5, hour, 5, 0, 0, farm.Time())); got[:len(want)] != want {
			t.Errorf("%d: %q", hour, got)
		}
	}
	if got := e.words["vi"].spokenMoment(time.Date(2026, 3, 5, 5, 0, 0, 0, farm.Time())); got != "sáng ngày 5 tháng 3 năm 2026, lúc 5 giờ" {
		t.Errorf("%q", got)
	}
}

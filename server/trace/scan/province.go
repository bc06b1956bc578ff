package scan

import (
	"math"
	"slices"
	"time"
)

// Province is as near as the place of a scan is ever known.
type Province struct {
	Code string // two digits: Decision 19/2025/QĐ-TTg, in force since 01/07/2025; Abroad
	Name string // without "tỉnh" or "thành phố"
	// North and East are near its middle, degrees north and east; KM is how far its border is from there at most, roughly. Journeys are reckoned
	// with them (Least), and a dot on a map stands there.
	North, East, KM float64
}

// Abroad is the code of everywhere outside Viet Nam. It has no middle, so nobody can have come from there too fast.
const Abroad = "00"

// Provinces returns the 34 of Viet Nam since 01/07/2025 (Resolution 202/2025/QH15), from north to south.
func Provinces() []Province {
	return []Province{
		{"08", "Tuyên Quang", 22.45, 105.10, 110},
		{"04", "Cao Bằng", 22.70, 106.10, 75},
		{"12", "Lai Châu", 22.30, 103.20, 95},
		{"15", "Lào Cai", 21.95, 104.40, 95},
		{"19", "Thái Nguyên", 22.00, 105.85, 75},
		{"11", "Điện Biên", 21.75, 103.00, 85},
		{"20", "Lạng Sơn", 21.85, 106.65, 70},
		{"14", "Sơn La", 21.20, 104.10, 110},
		{"25", "Phú Thọ", 21.00, 105.25, 85},
		{"24", "Bắc Ninh", 21.30, 106.35, 65},
		{"22", "Quảng Ninh", 21.25, 107.30, 105},
		{"01", "Hà Nội", 21.00, 105.75, 50},
		{"31", "Hải Phòng", 20.85, 106.50, 55},
		{"33", "Hưng Yên", 20.60, 106.25, 50},
		{"37", "Ninh Bình", 20.30, 106.05, 65},
		{"38", "Thanh Hóa", 20.05, 105.30, 90},
		{"40", "Nghệ An", 19.25, 104.90, 115},
		{"42", "Hà Tĩnh", 18.30, 105.75, 80},
		{"44", "Quảng Trị", 17.15, 106.65, 120},
		{"46", "Huế", 16.35, 107.50, 65},
		{"48", "Đà Nẵng", 15.65, 107.95, 85},
		{"51", "Quảng Ngãi", 14.80, 108.20, 105},
		{"52", "Gia Lai", 13.90, 108.50, 115},
		{"66", "Đắk Lắk", 12.90, 108.45, 115},
		{"56", "Khánh Hòa", 12.10, 108.95, 100},
		{"68", "Lâm Đồng", 11.65, 107.95, 125},
		{"75", "Đồng Nai", 11.45, 106.95, 95},
		{"79", "TP. Hồ Chí Minh", 10.90, 106.80, 75},
		{"80", "Tây Ninh", 11.00, 106.15, 95},
		{"82", "Đồng Tháp", 10.50, 105.95, 85},
		{"86", "Vĩnh Long", 10.00, 106.25, 70},
		{"91", "An Giang", 10.20, 105.05, 125},
		{"92", "Cần Thơ", 9.80, 105.70, 75},
		{"96", "Cà Mau", 9.15, 105.20, 75},
	}
}

// ProvinceOf returns the province of a code; ok is false for others, Abroad among them.
func ProvinceOf(code string) (p Province, ok bool) {
	all := Provinces()
	i := slices.IndexFunc(all, func(p Province) bool { return p.Code == code })
	if i < 0 {
		return Province{}, false
	}
	return all[i], true
}

// ValidProvince reports whether a code is one of the 34, or Abroad.
func ValidProvince(code string) bool {
	_, ok := ProvinceOf(code)
	return ok || code == Abroad
}

// What the fastest honest way is reckoned with: a car that never stops, and an aeroplane with the ways to and from it.
const (
	roadKMH   = 80.0
	airKMH    = 800.0
	airGround = 2.0 // hours
)

// Least returns the shortest time in which a thing gets from one province to another: from border to border, by the faster of road and air.
// It is 0 for neighbours, and where one is not known.
func Least(from, to string) time.Duration {
	if from == to || from == "" || to == "" {
		return 0
	}
	p, ok := ProvinceOf(from)
	q, known := ProvinceOf(to)
	if !ok || !known {
		return 0
	}
	km := distance(p, q) - p.KM - q.KM
	if km <= 0 {
		return 0
	}
	return time.Duration(min(km/roadKMH, airGround+km/airKMH) * float64(time.Hour))
}

// distance is that of the two middles on a sphere of the Earth's mean radius, km (haversine formula).
func distance(p, q Province) float64 {
	const radius, degree = 6371.0, math.Pi / 180
	a := math.Pow(math.Sin((q.North-p.North)*degree/2), 2) + math.Cos(p.North*degree)*math.Cos(q.North*degree)*math.Pow(math.Sin((q.East-p.East)*degree/2), 2)
	return 2 * radius * math.Asin(math.Sqrt(a))
}

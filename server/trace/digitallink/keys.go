package digitallink

import (
	"strings"
)

// key is a primary key: the sequences of qualifiers its path may have, each in order.
type key struct{ sequences [][]string }

// keyOf returns what a primary key takes.
func keyOf(ai string) (key, bool) {
	switch ai {
	case "01":
		return key{[][]string{{"22", "10", "21"}, {"235"}}}, true
	case "8006":
		return key{[][]string{{"22", "10", "21"}}}, true
	case "414":
		return key{[][]string{{"254"}, {"7040"}}}, true
	case "417", "8004":
		return key{[][]string{{"7040"}}}, true
	case "415":
		return key{[][]string{{"8020"}}}, true
	case "8010":
		return key{[][]string{{"8011"}}}, true
	case "8017", "8018":
		return key{[][]string{{"8019"}}}, true
	case "00", "253", "255", "401", "402", "8003", "8013":
		return key{}, true
	}
	return key{}, false
}

// Keys lists the primary keys.
func Keys() []string {
	return []string{"00", "01", "253", "255", "401", "402", "414", "415", "417", "8003", "8004", "8006", "8010", "8013", "8017", "8018"}
}

// qualifierFormat returns the form of an application identifier that stands in paths only.
func qualifierFormat(ai string) (string, bool) {
	switch ai {
	case "10", "21", "22", "254":
		return "X..20", true
	case "235":
		return "X..28", true
	case "7040":
		return "N1 X1 X1 X1", true
	case "8011":
		return "N..12", true
	case "8019":
		return "N..10", true
	case "8020":
		return "X..25", true
	}
	return "", false
}

// formatOf returns the form of an application identifier; attribute tells whether it may stand in a query.
func formatOf(ai string) (format string, attribute, ok bool) {
	if ai == "" || strings.Trim(ai, "0123456789") != "" {
		return "", false, false
	}
	if f, ok := qualifierFormat(ai); ok {
		return f, ai == "10", true
	}
	for line := range strings.Lines(attributes) {
		line = strings.TrimSuffix(line, "\n")
		names, format, _ := strings.Cut(line, " ")
		from, to, more := strings.Cut(names, "-")
		if !more {
			to = from
		}
		if len(ai) == len(from) && from <= ai && ai <= to {
			return format, true, true
		}
	}
	return "", false, false
}

// attributes are the application identifiers that may stand in a query, each with the form of its value: N digits, X characters of set 82, Y of
// set 39, Z of base 64 for URIs; a number for a fixed length, ..n for up to n; brackets around what may be missing; csum: the last digit is a
// check digit; zero: it is 0; yymmdd: a date, with yymmd0 the day may be 00.
const attributes = `00 N18,csum
01-02 N14,csum
10 X..20
11-13 N6,yymmd0
15-17 N6,yymmd0
20 N2
240-241 X..30
242 N..6
243 X..20
250-251 X..30
253 N13,csum [X..17]
255 N13,csum [N..12]
30 N..8
3100-3105 N6
3110-3115 N6
3120-3125 N6
3130-3135 N6
3140-3145 N6
3150-3155 N6
3160-3165 N6
3200-3205 N6
3210-3215 N6
3220-3225 N6
3230-3235 N6
3240-3245 N6
3250-3255 N6
3260-3265 N6
3270-3275 N6
3280-3285 N6
3290-3295 N6
3300-3305 N6
3310-3315 N6
3320-3325 N6
3330-3335 N6
3340-3345 N6
3350-3355 N6
3360-3365 N6
3370-3375 N6
3400-3405 N6
3410-3415 N6
3420-3425 N6
3430-3435 N6
3440-3445 N6
3450-3455 N6
3460-3465 N6
3470-3475 N6
3480-3485 N6
3490-3495 N6
3500-3505 N6
3510-3515 N6
3520-3525 N6
3530-3535 N6
3540-3545 N6
3550-3555 N6
3560-3565 N6
3570-3575 N6
3600-3605 N6
3610-3615 N6
3620-3625 N6
3630-3635 N6
3640-3645 N6
3650-3655 N6
3660-3665 N6
3670-3675 N6
3680-3685 N6
3690-3695 N6
37 N..8
3900-3909 N..15
3910-3919 N3 N..15
3920-3929 N..15
3930-3939 N3 N..15
3940-3943 N4
3950-3955 N6
400-401 X..30
402 N17,csum
403 X..30
410-417 N13,csum
420 X..20
421 N3 X..9
422 N3
423 N3 [N3] [N3] [N3] [N3]
424 N3
425 N3 [N3] [N3] [N3] [N3]
426 N3
427 X..3
4300-4301 X..35
4302-4306 X..70
4307 X2
4308 X..30
4309 N10 N10
4310-4311 X..35
4312-4316 X..70
4317 X2
4318 X..20
4319 X..30
4320 X..35
4321-4323 N1
4324-4325 N6,yymmd0 N4
4326 N6,yymmdd
4330-4333 N6 [X1]
7001 N13
7002 X..30
7003 N6,yymmdd N4
7004 N..4
7005 X..12
7006 N6,yymmdd
7007 N6,yymmdd [N6,yymmdd]
7008 X..3
7009 X..10
7010 X..2
7011 N6,yymmdd [N4]
7020-7022 X..20
7023 X..30
7030-7039 N3 X..27
710-717 X..20
7230-7239 X2 X..28
7240 X..20
7241 N2
7242 X..25
7250 N8
7251 N8 N4
7252 N1
7253-7254 X..40
7255 X..10
7256 X..90
7257 X..70
7258 X3
7259 X..40
8001 N4 N5 N3 N1 N1
8002 X..20
8003 N1,zero N13,csum [X..16]
8004 X..30
8005 N6
8006 N14,csum N4
8007 X..34
8008 N6,yymmdd N2 [N2] [N2]
8009 X..50
8010 Y..30
8012 X..20
8013 X..25
8017-8018 N18,csum
8026 N14,csum N4
8030 Z..90
8110 X..70
8111 N4
8112 X..70
90 X..30
91-99 X..90
`

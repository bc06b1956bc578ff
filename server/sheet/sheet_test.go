package sheet_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/sheet"
	"aovuon/server/web"
)

func table(t testing.TB, kind farm.RecordKind, lang string) (sheet.Table, sheet.Words) {
	t.Helper()
	out, w, err := web.RecordTable(kind, lang)
	if err != nil {
		t.Fatal(err)
	}
	return out, w
}

func named(kind string) []sheet.Named {
	return []sheet.Named{
		{ID: kind + "1", Names: []string{"Ao Tám"}},
		{ID: kind + "2", Names: []string{"Ao Tâm"}},
		{ID: kind + "3", Names: []string{"Công ty A; B"}},
		{ID: kind + "4", Names: []string{"Ông Ba"}},
		{ID: kind + "5", Names: []string{"Ông Ba"}},
		{ID: kind + "6", Names: []string{"Cũ"}, Retired: true},
		{ID: kind + "7", Names: []string{kind + "1"}},
	}
}

func ground(list []farm.Record) sheet.Ground {
	return sheet.Ground{Existing: list, Named: named, Zone: farm.Time()}
}

func TestTable_HeadsAndAnswersAreOfOneColumn(t *testing.T) {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, " ", "")) }
	for _, kind := range farm.RecordKinds() {
		for _, lang := range []string{"vi", "en"} {
			tab, _ := table(t, kind, lang)
			whose := map[string]string{}
			for _, c := range tab.Columns {
				for _, h := range append([]string{c.Key, c.Title}, c.Also...) {
					if other, ok := whose[plain(h)]; ok && other != c.Key {
						t.Errorf("%s, %s: %q is the head of %s and of %s", kind, lang, h, other, c.Key)
					}
					whose[plain(h)] = c.Key
				}
				said := map[string]string{}
				for o, words := range c.Options {
					for _, w := range words {
						if other, ok := said[plain(w)]; ok && other != o {
							t.Errorf("%s.%s: %q says %s and %s", kind, c.Key, w, other, o)
						}
						said[plain(w)] = o
					}
				}
			}
		}
	}
}

// value draws an answer of a field, of the kind that is hard to carry.
func value(r *rand.Rand, f form.Field) any {
	texts := []string{
		"=1+1", "+84912345678", "-5", "@x", "'quoted", "'=x", "0912345678", "8938505970", "1.234", "a;b", `c:\d;e\\`, "\"x\"", "có, phẩy", "đường Ô", "_x000D_", "2026-01-02", "TRUE", "<&>", "#N/A",
		"có", "1e5",
	}
	text := func() string { return texts[r.IntN(len(texts))] }
	one := func() any {
		switch f.Type {
		case form.Number:
			n := f.Min + float64(r.IntN(60))
			if !f.Whole {
				n += []float64{0, 0.5, 0.234, 1e-7, 1.0 / 3}[r.IntN(5)]
			}
			if f.Max != 0 {
				n = min(n, f.Max)
			}
			return n
		case form.Date:
			return fmt.Sprintf("20%02d-%02d-%02d", r.IntN(60), 1+r.IntN(12), 1+r.IntN(28))
		case form.Choice:
			return f.Options[r.IntN(len(f.Options))]
		case form.Flag:
			return r.IntN(2) == 0
		case form.Ref:
			return f.Of + string(rune('1'+r.IntN(7)))
		case form.Long:
			return text() + "\r\n" + text() + "\n" + text()
		case form.Text, form.Moment:
		}
		if f.File {
			return fmt.Sprintf("%064x", r.Uint64()) // of digits alone, now and then: no number
		}
		return text()
	}
	if !f.Repeat {
		return one()
	}
	out := []string{one().(string)}
	if two := one().(string); two != out[0] {
		out = append(out, two)
	}
	return out
}

func records(r *rand.Rand, kind farm.RecordKind) []farm.Record {
	var out []farm.Record
	for i := range 12 {
		rec := farm.Record{Kind: kind, ID: fmt.Sprintf("rec%07d", i), Revision: 1 + int64(r.IntN(3)), Retired: r.IntN(4) == 0, Values: form.Values{}}
		for _, f := range kind.Fields() {
			if f.Key != "gtin" && (f.Required || r.IntN(3) > 0) {
				rec.Values[f.Key] = value(r, f)
			}
		}
		for _, key := range []string{"code", "number"} { // no two of them are the same
			if s := rec.Values.Text(key); s != "" {
				rec.Values[key] = s + fmt.Sprint(i)
			}
		}
		for _, days := range [][2]string{{"from", "to"}, {"begin", "end"}, {"valid_from", "valid_to"}} {
			if a, b := rec.Values.Text(days[0]), rec.Values.Text(days[1]); a != "" && b != "" && b < a {
				rec.Values[days[0]], rec.Values[days[1]] = b, a
			}
		}
		out = append(out, rec)
	}
	return out
}

// What is written out and read in again changes nothing, whatever is on record and whatever the language of whoever reads it.
func TestRoundTrip_ChangesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, kind := range farm.RecordKinds() {
		for n := range 6 {
			list := records(r, kind)
			lang := []string{"vi", "en"}[n%2]
			tab, words := table(t, kind, lang)
			back, _ := table(t, kind, []string{"vi", "en"}[n/2%2])
			back.Yes, back.No = tab.Yes, tab.No
			var csv, xlsx bytes.Buffer
			if err := errors.Join(tab.WriteCSV(&csv, list, named), tab.WriteXLSX(&xlsx, words, list, named)); err != nil {
				t.Fatal(err)
			}
			for form, raw := range map[string][]byte{"csv": csv.Bytes(), "xlsx": xlsx.Bytes()} {
				rows, err := back.Read(raw)
				if err != nil {
					t.Fatal(kind, form, err)
				}
				p := back.Plan(rows, ground(list))
				if len(p.Problems)+len(p.New)+len(p.Changed) > 0 || p.Same != len(list) {
					t.Fatalf("%s, %s: %d the same of %d; %v %+v %+v", kind, form, p.Same, len(list), p.Problems, p.Changed, p.New)
				}
			}
		}
	}
}

func TestWrite_NoProgramRunsWhatPeopleWrote(t *testing.T) {
	tab, words := table(t, farm.Buyer, "vi")
	list := []farm.Record{{Kind: farm.Buyer, ID: "b", Values: form.Values{"name": `=HYPERLINK("http://x")`, "phone": "+84912345678"}}}
	var csv, xlsx bytes.Buffer
	if err := errors.Join(tab.WriteCSV(&csv, list, named), tab.WriteXLSX(&xlsx, words, list, named)); err != nil {
		t.Fatal(err)
	}
	if s := csv.String(); !strings.Contains(s, `"'=HYPERLINK(""http://x"")"`) || !strings.Contains(s, ";'+84912345678;") {
		t.Error(s)
	}
	f, err := excelize.OpenReader(&xlsx)
	if err != nil {
		t.Fatal(err)
	}
	formula, err1 := f.GetCellFormula(f.GetSheetName(0), "A2")
	kind, err2 := f.GetCellType(f.GetSheetName(0), "A2")
	if err := errors.Join(err1, err2, f.Close()); err != nil || formula != "" || kind != excelize.CellTypeSharedString {
		t.Errorf("%v %q %v", err, formula, kind)
	}
}

func TestPlan_SaysEveryProblem(t *testing.T) {
	tab, _ := table(t, farm.Cycle, "vi")
	list := []farm.Record{
		{Kind: farm.Cycle, ID: "c1", Revision: 4, Values: form.Values{"name": "Vụ 1", "place": "place1", "branch": "fish", "species": "cá", "season": "2026", "begin": "2026-01-01", "note": "giữ", "area_m2": 5.0}},
	}
	rows, err := tab.Read([]byte("\ufeffTEN;noi nuoi trong;branch;SPECIES;Mùa vụ;begin;end;Diện tích (m²);zebra;id\r\n" + strings.Join([]string{
		"Vụ 1;ao tám;nuôi cá;cá;2026;01/01/2026;;;;",      // area goes
		"Vụ 2;Ao Tam;Nuôi cá;cá;2026;31/02/2026;;1.234;;", // ambiguous, no such day, no number
		"Vụ 3;Ao Tám;cá;;2026;02/01/2026;01/01/2026;-1;;", // no option, no species, ends before
		"Vụ 4;Đồng;fish;cá;2026;1/2/2026;;;;gone",         // no such place, no such id
		"Vụ 5;Cũ;fish;cá;2026;1/2/2026;;;x;",
		"Vụ 5;Cũ;fish;cá;2026;1/2/2026;;;;",
	}, "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	p := tab.Plan(rows, ground(list))
	var got []string
	for _, q := range p.Problems {
		got = append(got, fmt.Sprintf("%d %s %s", q.Row, q.Key, q.Code))
	}
	for _, want := range []string{
		"1  column", "3 place ambiguous", "3 begin date", "3 area_m2 number", "4 branch option", "4 species missing", "4 end conflict", "4 area_m2 small", "5 place ref", "5 id noid", "7 name twice",
	} {
		if !strings.Contains(strings.Join(got, "\n")+"\n", want+"\n") {
			t.Errorf("%s is not said", want)
		}
	}
	if len(got) != 11 {
		t.Errorf("%d problems: %q", len(got), got)
	}
	if p.Rows != 6 || len(p.New) != 1 || len(p.Changed) != 1 || p.Same != 0 {
		t.Fatalf("%+v", p)
	}
	c := p.Changed[0]
	if _, there := c.Record.Values["area_m2"]; there || c.Record.Values.Text("note") != "giữ" || len(c.Keys) != 1 || c.Keys[0] != "area_m2" || c.Record.Revision != 4 {
		t.Errorf("an empty cell takes out, a column that is not there keeps: %+v", c)
	}
}

// A code may pass from one household to another within a file, in the order of the rows, and not to two at once.
func TestPlan_CodesPassOn(t *testing.T) {
	tab, _ := table(t, farm.Household, "en")
	list := []farm.Record{{Kind: farm.Household, ID: "h1", Revision: 1, Values: form.Values{"name": "A", "code": "H1"}}, {Kind: farm.Household, ID: "h2", Revision: 1, Values: form.Values{"name": "B", "code": "H2"}}}
	for file, bad := range map[string]int{"id,name,code\nh1,A,H3\nh2,B,H1\n": 0, "id,name,code\nh2,B,H1\nh1,A,H3\n": 1, "name,code\nC,H9\nD,H9\n": 1, "name,code\nA nother,h1\n": 0} {
		rows, err := tab.Read([]byte(file))
		if err != nil {
			t.Fatal(err)
		}
		if p := tab.Plan(rows, ground(list)); len(p.Problems) != bad {
			t.Errorf("%q: %v", file, p.Problems)
		}
	}
}

func TestRead_RefusesAFileWithAReason(t *testing.T) {
	tab, _ := table(t, farm.Buyer, "vi")
	for name, c := range map[string]struct {
		raw  string
		code sheet.FileCode
		line int
	}{
		"nothing":        {"", sheet.Empty, 0},
		"blank":          {" \r\n\n", sheet.Empty, 0},
		"old letters":    {"T\xean;phone\nA;1\n", sheet.NotUTF8, 0},
		"UTF-16":         {"\xff\xfeT\x00", sheet.NotUTF8, 0},
		"an .xls":        {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", sheet.OldExcel, 0},
		"a password":     {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1..E\x00n\x00c\x00r\x00y\x00p\x00t\x00i\x00o\x00n\x00I\x00n\x00f\x00o\x00", sheet.Locked, 0},
		"half a zip":     {"PK\x03\x04....", sheet.BadXLSX, 0},
		"another zip":    {zipOf(t, map[string]string{"content.xml": "x"}), sheet.OtherZip, 0},
		"no sheets":      {zipOf(t, map[string]string{"xl/workbook.xml": "<workbook/>", "xl/_rels/workbook.xml.rels": "<R/>"}), sheet.BadXLSX, 0},
		"a bomb":         {zipOf(t, map[string]string{"xl/workbook.xml": strings.Repeat(" ", 30<<20)}), sheet.TooBig, 0},
		"the far corner": {xlsxOf(t, `<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c><c r="XFD1"><v>1</v></c></row>`), sheet.TooWide, 1},
		"a quote":        {"name;phone\nA;\"1\nB;2\n", sheet.BadCSV, 2},
		"other heads":    {"x;y\n1;2\n", sheet.NoHead, 1},
		"a head":         {"name;phone\n", sheet.NoRows, 0},
		"many rows":      {"name\n" + strings.Repeat("A\n", sheet.MostRows+1), sheet.TooLong, 0},
		"many columns":   {"name" + strings.Repeat(";x", sheet.MostColumns) + "\n", sheet.TooWide, 0},
		"many texts":     {withShared(t, "<sst>"+strings.Repeat("<si/>", 4<<20)+"</sst>"), sheet.TooBig, 0},
		"one text":       {withShared(t, "<sst><si>"+strings.Repeat("<t/>", 5<<20)+"</si></sst>"), sheet.TooBig, 0},
		"attributes":     {withShared(t, "<sst"+strings.Repeat(` a=""`, 4<<20)+"></sst>"), sheet.TooBig, 0},
		"depth":          {withShared(t, strings.Repeat("<a>", 5<<20)), sheet.TooBig, 0},
		"many bytes":     {"name\n" + strings.Repeat("x", sheet.MostBytes), sheet.TooBig, 0},
	} {
		_, err := tab.Read([]byte(c.raw))
		bad, ok := errors.AsType[*sheet.FileError](err)
		if !ok || bad.Code != c.code || bad.Line != c.line {
			t.Errorf("%s: %v, want %s in line %d", name, err, c.code, c.line)
		}
	}
}

// withShared is a workbook with these texts beside its cells.
func withShared(t *testing.T, texts string) string {
	t.Helper()
	all := parts(`<row><c t="inlineStr"><is><t>name</t></is></c></row>`)
	all["xl/sharedStrings.xml"] = texts
	return zipOf(t, all)
}

// The limits on what a workbook packs are not such that a table which is as large as it may be is refused.
func TestRead_AFullTable(t *testing.T) {
	tab, _ := table(t, farm.Input, "vi")
	row := "<row>" + strings.Repeat(`<c s="1" t="inlineStr"><is><t>name</t></is></c>`, sheet.MostColumns) + "</row>"
	rows, err := tab.Read([]byte(xlsxOf(t, strings.Repeat(row, sheet.MostRows+1))))
	if err != nil || len(rows) != sheet.MostRows+1 { // the heads are one head, and that is a problem of its own
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func TestRead_CellsAsExcelKeepsThem(t *testing.T) {
	tab, _ := table(t, farm.Cycle, "vi")
	head := ""
	for i, key := range []string{"name", "begin", "area_m2", "end", "note", "season"} {
		head += fmt.Sprintf(`<c r="%c1" t="inlineStr"><is><r><t>%s</t></r></is></c>`, 'A'+i, key)
	}
	rows, err := tab.Read([]byte(xlsxOf(t, `<row r="1">`+head+`</row><row r="9"><c r="A9"><v>912345678</v></c><c r="B9" s="4"><v>46000.5</v></c><c r="C9"><v>1.234</v></c><c r="D9"><v>2026</v></c><c r="E9" t="e"><v>#REF!</v></c><c r="F9"><f>A1</f></c><c r="ZZ9" s="3"/></row>`)))
	if err != nil || len(rows) != 1 {
		t.Fatal(err, rows)
	}
	x := rows[0]
	if x.Line != 9 || x.Cells["name"] != "912345678" || x.Cells["begin"] != "2025-12-09" || x.Cells["area_m2"] != "1,234" || x.Cells["end"] != "2026" {
		t.Errorf("%+v", x)
	}
	if len(x.Bad) != 2 || x.Bad[0].Code != sheet.CellError || x.Bad[1].Code != sheet.NotSaved {
		t.Errorf("%v", x.Bad)
	}
}

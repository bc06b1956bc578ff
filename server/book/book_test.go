package book_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"aovuon/server/book"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/parttest"
	"aovuon/server/web"
)

var today = time.Date(2026, 11, 24, 20, 0, 0, 0, farm.Time())

// season is the demo's season as a source.
func season(t testing.TB, cycle string, std book.Standard) book.Source {
	t.Helper()
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	d, err := diary.Demo(f, today)
	if err != nil {
		t.Fatal(err)
	}
	src := book.Source{
		Farm: f, Records: d.Records, Cycle: cycle, Standard: std, Now: today, Who: func(actor string) string { return "Người ghi " + actor },
		Ledger:   &book.Head{Log: "aovuon.example/ledger", Size: 4711, Root: "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", At: today, URL: "https://aovuon.example/proof/4710"},
		Measured: []book.Measured{{Quantity: "Ôxy hòa tan", Unit: "mg/L", Sensor: "ao1-do", From: today.AddDate(0, 0, -14), To: today.AddDate(0, 0, -7), N: 2016, Faults: 3, Min: 3.871, Mean: 5.62, Max: 8.204, Decimals: 1}},
	}
	var events []diary.Event
	for _, e := range d.Entries {
		ev := e.Event
		ev.Actor, ev.Synced = e.Actor, e.Came
		events = append(events, ev)
	}
	src.Events = events
	all := diary.Entries(events)
	src.Stock = diary.Stock(all, slices.DeleteFunc(slices.Clone(d.Records), func(r farm.Record) bool { return r.Kind != farm.Input }))
	src.Receipts = slices.DeleteFunc(slices.Clone(all), func(e diary.Entry) bool { return e.Kind != diary.Receipt })
	return src
}

func words(t testing.TB, lang string) book.Words {
	t.Helper()
	w, err := web.BookWords(lang)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func made(t testing.TB, cycle string, std book.Standard) book.Book {
	t.Helper()
	b, err := book.Make(season(t, cycle, std), words(t, "vi"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func chapter(t *testing.T, b book.Book, key string) book.Chapter {
	t.Helper()
	i := slices.IndexFunc(b.Chapters, func(c book.Chapter) bool { return c.Key == key })
	if i < 0 {
		t.Fatalf("no chapter %s", key)
	}
	return b.Chapters[i]
}

// said are all texts of a chapter.
func said(c book.Chapter) string {
	out := []string{c.Title, c.Empty}
	for _, f := range c.Facts {
		out = append(out, f.Label+" "+f.Value)
	}
	out = append(out, c.Notes...)
	for _, t := range c.Tables {
		out = append(out, t.Title, t.Source)
		for _, r := range t.Rows {
			out = append(out, r.Gap)
			out = append(out, r.Late...)
			out = append(out, r.Changes...)
			for _, c := range r.Cells {
				out = append(append(out, c.Text), c.Was...)
			}
		}
	}
	return strings.Join(out, "\n")
}

func TestMake_EveryBookHasItsChaptersInOrder(t *testing.T) {
	for _, c := range []struct {
		cycle string
		std   book.Standard
		want  string
	}{
		{"demo-ao1", book.VietGAPFish, "general certificates inputs pond_prep stocking feed water env_product health treatment growth harvest sale waste people equipment incident audit findings changes sources"},
		{"demo-khoai1", book.VietGAPCrop, "general certificates inputs land seed fertilizer irrigation scouting pesticide harvest post_harvest sale waste people equipment incident audit findings changes sources"},
		{"demo-thuoc1", book.GACP, "general certificates inputs land seed fertilizer irrigation scouting pesticide harvest post_harvest sale batch packing waste people equipment incident audit findings changes sources"},
		{"demo-thuoc1", book.Organic, "general certificates inputs organic seed fertilizer irrigation scouting water waste people equipment incident audit findings changes sources"},
	} {
		b := made(t, c.cycle, c.std)
		var got []string
		for _, x := range b.Chapters {
			got = append(got, x.Key)
		}
		if d := cmp.Diff(strings.Fields(c.want), got); d != "" {
			t.Errorf("%s, %s: %s", c.cycle, c.std, d)
		}
	}
}

func TestMake_ShowsWhatWasChanged(t *testing.T) {
	b := made(t, "demo-ao1", book.VietGAPFish)
	health := chapter(t, b, "health")
	for _, want := range []string{"Sửa lúc 17/09/2026 10:00, người sửa: Người ghi u-ho01. Số con: 50 → 5. Lý do: gõ thừa số 0"} {
		if !strings.Contains(said(health), want) {
			t.Errorf("health: no %q in\n%s", want, said(health))
		}
	}
	var was []string
	for _, r := range health.Tables[0].Rows {
		for _, c := range r.Cells {
			was = append(was, c.Was...)
		}
	}
	if !slices.Contains(was, "50") {
		t.Errorf("the old value is not shown: %v", was)
	}
	water := said(chapter(t, b, "water"))
	for _, want := range []string{"Thu hồi lúc 22/10/2026 08:30", "ghi nhầm ao, đã ghi lại ở ao 2", "máy chủ nhận lúc 02/11/2026 07:00"} {
		if !strings.Contains(water, want) {
			t.Errorf("water: no %q", want)
		}
	}
	changes := said(chapter(t, b, "changes"))
	if strings.Count(changes, "Sửa lúc")+strings.Count(changes, "Thu hồi lúc") != 2 {
		t.Errorf("changes:\n%s", changes)
	}
}

func TestMake_SaysGaps(t *testing.T) {
	b := made(t, "demo-ao3", book.VietGAPFish)
	var gaps []string
	for _, table := range chapter(t, b, "feed").Tables {
		for _, r := range table.Rows {
			if r.Gap != "" {
				gaps = append(gaps, r.Gap)
			}
		}
	}
	if d := cmp.Diff([]string{"Không có ghi chép từ 15/10/2026 đến 18/10/2026 (4 ngày)"}, gaps); d != "" {
		t.Error(d)
	}
	src := season(t, "demo-ao3", book.VietGAPFish)
	src.Events = slices.DeleteFunc(src.Events, func(e diary.Event) bool { return e.Kind == diary.WaterTest })
	b, err := book.Make(src, words(t, "vi"))
	if err != nil {
		t.Fatal(err)
	}
	if s := said(chapter(t, b, "water")); !strings.Contains(s, "Không có ghi chép từ 21/08/2026 đến 23/11/2026") {
		t.Errorf("a season without a water test is no gap:\n%s", s)
	}
}

// The days to wait are reckoned as the gates do: harvest from the day after the last of them.
func TestMake_ReckonsTheEarliestHarvest(t *testing.T) {
	for _, c := range []struct{ cycle, want string }{
		{"demo-ao1", "Thu hoạch được từ 02/10/2026 (muộn nhất trong các dòng trên): đã qua."},
		{"demo-ao4", "Thu hoạch được từ 06/12/2026 (muộn nhất trong các dòng trên): còn phải chờ."},
		{"demo-ao2", "Thu hoạch được từ 01/12/2026 (muộn nhất trong các dòng trên): còn phải chờ."},
	} {
		if s := said(chapter(t, made(t, c.cycle, book.VietGAPFish), "treatment")); !strings.Contains(s, c.want) {
			t.Errorf("%s: no %q in\n%s", c.cycle, c.want, s)
		}
	}
	src := season(t, "demo-ao4", book.VietGAPFish)
	for i, r := range src.Records {
		if r.ID == "demo-florfenicol" {
			v := form.Values{}
			for k, x := range r.Values {
				if k != "withdrawal_days" {
					v[k] = x
				}
			}
			src.Records[i].Values = v
		}
	}
	b, err := book.Make(src, words(t, "vi"))
	if err != nil {
		t.Fatal(err)
	}
	if s := said(chapter(t, b, "treatment")); strings.Contains(s, "Thu hoạch được từ 0") || !strings.Contains(s, "chưa biết ngày thu hoạch") {
		t.Errorf("days that nobody entered:\n%s", s)
	}
}

func TestMake_RefusesWhatIsNoBook(t *testing.T) {
	for _, c := range []struct {
		cycle string
		std   book.Standard
	}{{"none", book.VietGAPFish}, {"demo-ao1", book.VietGAPCrop}, {"demo-ao1", "x"}, {"demo-ao1", ""}} {
		if _, err := book.Make(season(t, c.cycle, c.std), words(t, "vi")); err == nil {
			t.Errorf("%s, %s: there is a book", c.cycle, c.std)
		}
	}
}

// squeezed is a text without blanks: where a line was broken does not matter.
func squeezed(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "\u00a0", " ")), "")
}

func pdf(t testing.TB, b book.Book) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := book.WritePDF(&buf, b); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// What another program reads out of the PDF is every text of the book; its bytes are the same every time.
func TestWritePDF_SaysEverything(t *testing.T) {
	tool := parttest.Tool(t, "pdftotext")
	for _, c := range []struct {
		cycle string
		std   book.Standard
	}{{"demo-ao1", book.VietGAPFish}, {"demo-ao3", book.VietGAPFish}, {"demo-khoai1", book.VietGAPCrop}, {"demo-thuoc1", book.GACP}, {"demo-thuoc1", book.Organic}} {
		b := made(t, c.cycle, c.std)
		raw := pdf(t, b)
		if !bytes.Equal(raw, pdf(t, b)) {
			t.Errorf("%s: not the same bytes twice", c.cycle)
		}
		file := filepath.Join(t.TempDir(), "book.pdf")
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		text, err := exec.CommandContext(t.Context(), tool, "-raw", file, "-").Output()
		if err != nil {
			t.Fatal(err)
		}
		have := squeezed(string(text))
		for _, ch := range b.Chapters {
			for line := range strings.SplitSeq(said(ch), "\n") {
				for word := range strings.FieldsSeq(line) {
					if w := squeezed(word); !strings.Contains(have, w) {
						t.Errorf("%s: %s: no %q of %q", c.cycle, ch.Key, w, line)
					}
				}
			}
		}
		pages := strings.Count(string(text), "\f")
		for n := 1; n <= pages; n++ {
			if !strings.Contains(have, squeezed(fmt.Sprintf("Trang %d/%d", n, pages))) {
				t.Errorf("%s: page %d of %d has no number", c.cycle, n, pages)
			}
		}
		if dir := os.Getenv("AOVUON_BOOKS"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, c.cycle+"-"+string(c.std)+".pdf"), raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Odd texts neither break the paper nor get lost: a note of 4000 letters, a word without an end, letters of no font, composed letters.
func TestWritePDF_TakesWhatPeopleWrite(t *testing.T) {
	tool := parttest.Tool(t, "pdftotext")
	src := season(t, "demo-ao4", book.VietGAPFish)
	add := func(note string) {
		e := src.Events[len(src.Events)-1]
		e.ID, e.Kind, e.Place, e.Cycle, e.Corrects = fmt.Sprintf("%026d", len(src.Events)), "incident", "E8SG6VC0T", "demo-ao4", ""
		e.Values, e.Note = form.Values{"what": "thử"}, note
		src.Events = append(src.Events, e)
	}
	add(strings.Repeat("nước đục, cá nổi đầu. ", 180))
	add(strings.Repeat("x", 3000) + "HẾT")
	add("cá 🐟 khỏe")
	add("nu\u031bo\u031b\u0301c tra\u0306\u0301ng")
	b, err := book.Make(src, words(t, "vi"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "book.pdf")
	if err := os.WriteFile(file, pdf(t, b), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := exec.CommandContext(t.Context(), tool, "-raw", file, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	have := squeezed(string(text))
	for _, want := range []string{"HẾT", "[U+1F41F]", "nướctrắng"} {
		if !strings.Contains(have, want) {
			t.Errorf("no %q", want)
		}
	}
	if n := strings.Count(have, "nướcđục,"); n != 180 {
		t.Errorf("%d of 180 sentences", n)
	}
}

func TestWriteXLSX_HasNumbersAndDatesAsSuch(t *testing.T) {
	src := season(t, "demo-ao1", book.VietGAPFish)
	for i, e := range src.Events {
		if e.Kind == diary.Treatment && e.Place == "F7NE3CDQ7" {
			src.Events[i].Values["reason"] = `=HYPERLINK("http://evil.example","x")`
		}
	}
	b, err := book.Make(src, words(t, "vi"))
	if err != nil {
		t.Fatal(err)
	}
	var one, two bytes.Buffer
	for _, to := range []*bytes.Buffer{&one, &two} {
		if err := book.WriteXLSX(to, b); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("not the same bytes twice")
	}
	f, err := excelize.OpenReader(&one)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	if got := len(f.GetSheetList()); got != len(b.Chapters) {
		t.Errorf("%d sheets for %d chapters", got, len(b.Chapters))
	}
	numbers, dates, evil := 0, 0, false
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		for r, row := range rows {
			for c, v := range row {
				at, err := excelize.CoordinatesToCellName(c+1, r+1)
				if err != nil {
					t.Fatal(err)
				}
				if formula, err := f.GetCellFormula(sheet, at); err != nil || formula != "" {
					t.Errorf("%s!%s is a formula: %q, %v", sheet, at, formula, err)
				}
				kind, err := f.GetCellType(sheet, at)
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(v, "=HYPERLINK") {
					evil = kind == excelize.CellTypeSharedString
				}
				if kind == excelize.CellTypeNumber || kind == excelize.CellTypeUnset {
					if shown, err := f.GetCellValue(sheet, at); err == nil && strings.Count(shown, "/") == 2 {
						dates++
					}
					numbers++
				}
			}
		}
	}
	if !evil || numbers < 500 || dates < 250 {
		t.Errorf("evil text is text: %v; %d numbers, %d dates", evil, numbers, dates)
	}
}

// BenchmarkPDF writes the book of a season of 3,000 entries.
func BenchmarkPDF(b *testing.B) {
	src := season(b, "demo-ao1", book.VietGAPFish)
	feed := src.Events[slices.IndexFunc(src.Events, func(e diary.Event) bool { return e.Kind == diary.Feeding && e.Cycle == "demo-ao1" })]
	for n := len(src.Events); n < 3500; n++ {
		e := feed
		e.ID, e.Occurred = fmt.Sprintf("%026d", n), feed.Occurred.Add(time.Duration(n)*time.Minute)
		e.Recorded, e.Synced = e.Occurred, e.Occurred
		src.Events = append(src.Events, e)
	}
	w := words(b, "vi")
	for b.Loop() {
		made, err := book.Make(src, w)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(pdf(b, made))))
	}
}

package web_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"html"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/parttest"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
	"aovuon/server/trace/printjob"
	"aovuon/server/web"
)

// stall is a town where something of the demo's lot was packed.
type stall struct {
	*town
	goods *flow.Desk
	made  time.Time
	run   string
	items []trace.Item
}

func newStall(t *testing.T, base, step string, count int) *stall {
	t.Helper()
	w := newTown(t, base, false)
	d := w.dossiers[w.demo.Lot.Link()]
	d.Lot.State, d.Lot.KG = trace.Harvested, 1000
	w.demo.Lot = d.Lot
	db := w.book.DB
	if err := db.SaveProduct(t.Context(), d.Product, w.by()); err != nil {
		t.Fatal(err)
	}
	if err := db.SaveLot(t.Context(), d.Lot, w.by()); err != nil {
		t.Fatal(err)
	}
	s := &stall{town: w, made: now().Add(-time.Hour)}
	s.goods = flow.New(db, db, flow.Defaults(), rand.Reader, func() time.Time { s.made = s.made.Add(time.Second); return s.made }, slog.New(slog.DiscardHandler))
	s.run = s.move(trace.Goods{Kind: trace.Pack, Step: step, In: []trace.Part{{Ref: s.ref()}}, Out: []trace.Part{{Ref: s.ref(), Count: count}}, NetG: 1500, Best: now().AddDate(0, 1, 0)}).ID
	var err error
	if s.items, err = db.Items(t.Context(), s.run); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stall) ref() trace.Ref { return s.demo.Lot.Link().Ref() }

func (s *stall) move(g trace.Goods) trace.Goods {
	s.t.Helper()
	out, err := s.goods.Take(s.t.Context(), flow.Who{Actor: ledger.Operator, Role: account.Admin}, g)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// release releases the lot for sale; the pages are told, too.
func (s *stall) release() {
	s.t.Helper()
	s.move(trace.Goods{Kind: trace.Issue, In: []trace.Part{{Ref: s.ref()}}})
	s.demo.Lot.State = trace.Released
	d := s.dossiers[s.demo.Lot.Link()]
	d.Lot.State = trace.Released
	s.dossiers[s.demo.Lot.Link()] = d
}

// get asks for a page as a technician.
func (s *stall) get(path string, more ...string) (got, string) {
	s.t.Helper()
	q := url.Values{}
	for i := 0; i+1 < len(more); i += 2 {
		q.Add(more[i], more[i+1])
	}
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	g := s.as(account.Technician, http.MethodGet, path, nil, nil)
	return g, html.UnescapeString(string(g.body))
}

// print previews a print and takes it as the page has it.
func (s *stall) print(more ...string) (job string) {
	s.t.Helper()
	g, page := s.get("/labels/print", more...)
	if g.status != http.StatusOK {
		s.t.Fatalf("preview: %d %s", g.status, main(page))
	}
	form := url.Values{}
	part := page[strings.Index(page, `<form method="post"`):]
	part = part[:strings.Index(part, "</form>")]
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`).FindAllStringSubmatch(part, -1) {
		form.Add(m[1], m[2])
	}
	res := s.as(account.Technician, http.MethodPost, "/labels/print", form, nil)
	to := res.header.Get("Location")
	if res.status != http.StatusSeeOther || !strings.HasPrefix(to, "/labels/jobs/") {
		s.t.Fatalf("not taken: %d %s", res.status, main(string(res.body)))
	}
	again := s.as(account.Technician, http.MethodPost, "/labels/print", form, nil)
	if again.header.Get("Location") != to {
		s.t.Errorf("sent twice, it is another print: %s", again.header.Get("Location"))
	}
	return strings.TrimPrefix(to, "/labels/jobs/")
}

func main(page string) string { return page[max(0, strings.Index(page, "<h1>")):] }

// codesOf reads every code of a file, of all pages, as a printer of a resolution prints it.
func codesOf(t *testing.T, name string, body []byte, dpi string) []string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
	files := []string{file}
	if strings.HasSuffix(name, ".pdf") {
		if out, err := exec.CommandContext(t.Context(), parttest.Tool(t, "pdftoppm"), "-r", dpi, "-gray", "-png", file, filepath.Join(dir, "p")).CombinedOutput(); err != nil {
			t.Fatalf("pdftoppm: %v %s", err, out)
		}
		var err error
		if files, err = filepath.Glob(filepath.Join(dir, "p-*.png")); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), parttest.Tool(t, "zbarimg"), append([]string{"--quiet", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable"}, files...)...).Output()
	if err != nil {
		t.Fatalf("%s: zbarimg reads nothing: %v", name, err)
	}
	return strings.Fields(string(out))
}

func TestPrint_LabelsOfALotThatIsNotReleasedAreRefusedWithTheWay(t *testing.T) {
	s := newStall(t, "https://tx.example.vn", "", 30)
	for _, path := range []string{"/labels/print?run=" + s.run, "/labels/roll.png?run=" + s.run} {
		g, page := s.get(path)
		if g.status != http.StatusUnprocessableEntity || !strings.Contains(page, "chưa được duyệt bán") {
			t.Errorf("%s: %d %s", path, g.status, main(page))
		}
	}
	_, page := s.get("/labels/print", "run", s.run)
	if want := `href="/lots/` + s.demo.Lot.GTIN + "/" + s.demo.Lot.Code; !strings.Contains(page, want) || strings.Contains(page, `method="post" action="/labels/print"`) {
		t.Errorf("no way out %q: %s", want, main(page))
	}
	if res := s.as(account.Technician, http.MethodPost, "/labels/print", url.Values{"run": {s.run}}, nil); res.status != http.StatusUnprocessableEntity {
		t.Errorf("taken: %d", res.status)
	}
	_, page = s.get("/labels/lot", "link", s.demo.Lot.Link().Path())
	if !strings.Contains(page, "chưa được duyệt bán") || strings.Contains(page, "/labels/print?run=") || !strings.Contains(page, "30 gói") {
		t.Error(main(page))
	}
	_, page = s.get("/labels")
	if !strings.Contains(page, "Lô chờ duyệt bán") {
		t.Error(main(page))
	}
	s.release()
	if _, page = s.get("/labels/lot", "link", s.demo.Lot.Link().Path()); !strings.Contains(page, "/labels/print?run="+s.run) || strings.Contains(page, "chưa được duyệt") {
		t.Error(main(page))
	}
}

// Labels are printed once, each with its serial; what they say is what their items are, at 203 dpi, too.
func TestPrint_SheetsAndRollsSayTheirSerials(t *testing.T) {
	s := newStall(t, "https://tx.example.vn", "", 30)
	s.release()
	var want []string
	for _, i := range s.items {
		want = append(want, "https://tx.example.vn"+i.Link().Path())
	}
	job := s.print("run", s.run, "n", "26", "start", "20")
	for _, dpi := range []string{"203", "300"} {
		g, _ := s.get("/labels/jobs/" + job + "/file")
		if g.status != http.StatusOK || g.header.Get("Content-Type") != "application/pdf" || !strings.Contains(g.header.Get("Content-Disposition"), "tem-"+s.demo.Lot.Code) {
			t.Fatalf("%d %v", g.status, g.header)
		}
		codes := codesOf(t, "x.pdf", g.body, dpi)
		slices.Sort(codes)
		sorted := slices.Sorted(slices.Values(want[:26]))
		if !slices.Equal(codes, sorted) {
			t.Errorf("at %s dpi %d codes read %q", dpi, len(codes), codes)
		}
	}
	g, page := s.get("/labels/print", "run", s.run, "n", "5")
	if g.status != http.StatusUnprocessableEntity || !strings.Contains(page, "<dt>Còn in được</dt><dd>4</dd>") || !strings.Contains(page, "<dt>Muốn in</dt><dd>5</dd>") {
		t.Errorf("%d %s", g.status, main(page))
	}
	png, _ := s.get("/labels/roll.png", "run", s.run)
	if got := codesOf(t, "roll.png", png.body, ""); len(got) != 1 || got[0] != want[26] {
		t.Errorf("the roll reads %q, want %q", got, want[26])
	}
	for n, c := range []struct{ printer, begin string }{{"zpl", "^XA"}, {"tspl", "SIZE 50 mm,30 mm\r\n"}, {"escpos", "\x1b@"}} {
		job := s.print("run", s.run, "n", "1", "on", "roll", "printer", c.printer)
		if g, _ := s.get("/labels/jobs/" + job + "/file"); !bytes.HasPrefix(g.body, []byte(c.begin)) || !strings.HasSuffix(strings.TrimSuffix(g.header.Get("Content-Disposition"), `"`), "."+c.printer) {
			t.Errorf("%d: %d %.40q", n, g.status, g.body)
		}
	}
	var p struct {
		Done, All int
		Ready     bool
	}
	if g, _ := s.get("/labels/jobs/" + job + "/progress"); json.Unmarshal(g.body, &p) != nil || p.Done != 26 || p.All != 26 || !p.Ready {
		t.Errorf("%s", g.body)
	}
}

// A label is printed again by itself, with a reason, and both prints say so.
func TestPrint_AgainSlotBySlot(t *testing.T) {
	s := newStall(t, "https://tx.example.vn", "", 25)
	s.release()
	job := s.print("run", s.run)
	_, page := s.get("/labels/jobs/" + job)
	for _, want := range []string{"25 tem", "2 tờ", "tờ 2, ô 4", web.SpokenCode(farm.WithCheck(s.items[24].Serial)), "đã đóng gói", `name="slots" value="25"`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in %s", want, main(page))
		}
	}
	if g, page := s.get("/labels/print", "again", job, "slots", "3", "slots", "", "slots", "24-26", "why", "jammed"); g.status != http.StatusUnprocessableEntity || !strings.Contains(page, "không có tem số đó") {
		t.Errorf("%d %s", g.status, main(page))
	}
	if g, page := s.get("/labels/print", "again", job, "slots", "", "why", "jammed"); g.status != http.StatusUnprocessableEntity || !strings.Contains(page, "Ô «Số tem» ghi chưa đúng") || !strings.Contains(page, "/labels/jobs/"+job) {
		t.Errorf("%d %s", g.status, main(page))
	}
	own := "w=63.5 h=38.1 nx=3 ny=7 left=7.25 top=15.15 dx=66 dy=38.1"
	for _, c := range [][]string{{"sheet", "L7163", "x", "1.5"}, {"sheet", "own", "own", own}, {"on", "roll", "w", "60", "printer", "zpl"}} { // on the same paper again
		part := s.print(append([]string{"again", job, "slots", "1", "why", "lost"}, c...)...)
		_, page := s.get("/labels/jobs/" + part)
		for i := 0; i+1 < len(c); i += 2 {
			if want := `name="` + c[i] + `" value="` + c[i+1] + `"`; !strings.Contains(page, want) {
				t.Errorf("no %s in %s", want, main(page))
			}
		}
	}
	again := s.print("again", job, "slots", "3", "slots", "24-25", "why", "jammed", "start", "21")
	g, _ := s.get("/labels/jobs/" + again + "/file")
	codes := codesOf(t, "x.pdf", g.body, "203")
	if len(codes) != 3 || !slices.Contains(codes, "https://tx.example.vn"+s.items[2].Link().Path()) {
		t.Errorf("printed again: %q", codes)
	}
	if _, page = s.get("/labels/jobs/" + job); !strings.Contains(page, "đã in lại 1 lần") || !strings.Contains(page, "máy in làm hỏng") || !strings.Contains(page, "/labels/jobs/"+again) {
		t.Error(main(page))
	}
	if _, page = s.get("/labels/jobs"); !strings.Contains(page, "In lại: máy in làm hỏng") {
		t.Error(main(page))
	}
	s.move(trace.Goods{Kind: trace.Recall, In: []trace.Part{{Ref: s.ref()}}, Reason: "vi sinh"})
	if g, page := s.get("/labels/print", "again", job, "slots", "3", "why", "lost"); g.status != http.StatusUnprocessableEntity || !strings.Contains(page, "thu hồi") {
		t.Errorf("%d %s", g.status, main(page))
	}
	if g, page := s.get("/labels/jobs/" + job + "/file"); g.header.Get("Content-Type") == "application/pdf" || !strings.Contains(page, "không còn được bán") {
		t.Errorf("the file of a recalled lot: %d %s", g.status, main(page))
	}
}

func TestPrint_BoxesSayWhatIsInThem(t *testing.T) {
	s := newStall(t, "https://tx.example.vn", "", 25)
	box := s.move(trace.Goods{Kind: trace.FillBox, In: []trace.Part{{Ref: s.ref(), Count: 20}}}).Out[0].Ref.ID
	loose := s.move(trace.Goods{Kind: trace.FillBox, In: []trace.Part{{Ref: s.ref(), KG: 12.5}}}).Out[0].Ref.ID
	s.release()
	_, page := s.get("/labels/lot", "link", s.demo.Lot.Link().Path())
	if strings.Count(page, `name="box"`) != 2 {
		t.Error(main(page))
	}
	_, page = s.get("/labels/print", "box", box, "box", loose, "sheet", "L7164")
	for _, want := range []string{"2 tem", "20 gói × 1,5", "12,5"} {
		if !strings.Contains(strings.ReplaceAll(page, "\u00a0", " "), want) {
			t.Errorf("no %q in %s", want, main(page))
		}
	}
	job := s.print("box", box, "box", loose, "sheet", "L7164")
	g, _ := s.get("/labels/jobs/" + job + "/file")
	codes := codesOf(t, "x.pdf", g.body, "203")
	slices.Sort(codes)
	if want := []string{trace.BoxAddress("https://tx.example.vn", box), trace.BoxAddress("https://tx.example.vn", loose)}; !slices.Equal(codes, want) {
		t.Errorf("the boxes read %q, want %q", codes, want)
	}
	if g, page := s.get("/labels/print", "box", box); g.status != http.StatusUnprocessableEntity || !strings.Contains(page, "đã in tem") {
		t.Errorf("%d %s", g.status, main(page))
	}
}

// What somebody typed wrong is told in words, and what was typed stays in the form.
func TestPrint_FaultsAreToldAndNothingIsLost(t *testing.T) {
	s := newStall(t, "https://tx.example.vn", "", 100)
	s.release()
	for _, c := range []struct {
		more   []string
		status int
		want   string
	}{
		{[]string{"n", "21"}, 200, "1 tờ"},
		{[]string{"n", "22"}, 200, "2 tờ"},
		{nil, 200, "100 tem · 5 tờ"},
		{[]string{"start", "22"}, 422, "Tờ này chỉ có tem số 1 đến số 21."},
		{[]string{"start", "x"}, 422, "Ô «Bắt đầu từ tem số» ghi chưa đúng"},
		{[]string{"n", "101"}, 422, "vượt quá số gói đã đóng"},
		{[]string{"n", "0"}, 422, "Ô «Số tem cần in» ghi chưa đúng"},
		{[]string{"x", "-8"}, 422, "Dịch theo x quá nhiều"},
		{[]string{"sheet", "own", "own", "w=63,5"}, 422, "Khổ giấy ghi chưa đúng ở «h=»"},
		{[]string{"sheet", "own", "own", "w=63,5 h=38,1 nx=4 ny=7 left=7,25 top=15,15"}, 422, "vượt ra ngoài tờ A4 51,25 mm"},
		{[]string{"sheet", "own", "own", "w=20 h=20 nx=1 ny=1 left=0 top=0"}, 422, "quá nhỏ với máy in 600 dpi"},
		{[]string{"on", "roll", "w", "20", "h", "20"}, 422, "quá nhỏ với máy in 203 dpi"},
		{[]string{"on", "roll", "w", "120"}, 422, "Tem rộng hơn cuộn giấy: nhiều nhất 110 mm."},
	} {
		g, page := s.get("/labels/print", append([]string{"run", s.run}, c.more...)...)
		if g.status != c.status || !strings.Contains(page, c.want) {
			t.Errorf("%v: %d, want %d and %q: %.900s", c.more, g.status, c.status, c.want, main(page))
		}
		for i := 0; i+1 < len(c.more); i += 2 {
			if c.more[i] != "sheet" && c.more[i] != "on" && !strings.Contains(page, `value="`+c.more[i+1]+`"`) {
				t.Errorf("%v: %s is lost", c.more, c.more[i])
			}
		}
		form := url.Values{"run": {s.run}}
		for i := 0; i+1 < len(c.more); i += 2 {
			form.Set(c.more[i], c.more[i+1])
		}
		if c.status == http.StatusUnprocessableEntity {
			if res := s.as(account.Technician, http.MethodPost, "/labels/print", form, nil); res.status != c.status || !strings.Contains(html.UnescapeString(string(res.body)), c.want) {
				t.Errorf("%v: taken: %d", c.more, res.status)
			}
		}
	}
	if _, page := s.get("/labels/jobs"); !strings.Contains(page, "Chưa in tem nào") {
		t.Error("something was printed")
	}
	for _, path := range []string{"/labels/lot?link=nonsense", "/labels/lot?link=%2F01%2F09521234010036%2F10%2FNOPE"} {
		if g, page := s.get(path); g.status != http.StatusNotFound || !strings.Contains(page, "Không có lô này.") {
			t.Errorf("%s: %d", path, g.status)
		}
	}
}

// What was processed was made on its day, not harvested; masses are said as packs say them.
func TestJobLabels_SayWhatIsKnown(t *testing.T) {
	lot := trace.Lot{GTIN: "09521234010036", Code: "AO1-261125", State: trace.Released, Harvested: time.Date(2026, 11, 24, 18, 0, 0, 0, time.UTC)}
	of := func(trace.Link) (trace.Dossier, error) {
		return trace.Dossier{Product: trace.Product{Name: farm.Text{VI: "Cá rô phi", EN: "Tilapia"}}, Lot: lot}, nil
	}
	coop := farm.Coop{Name: farm.Text{VI: "HTX Phú Khê"}}
	for _, c := range []struct {
		run  printjob.Run
		want string
	}{
		{printjob.Run{NetG: 1500}, "Lô: AO1-261125|Thu hoạch: 25/11/2026|Khối lượng: 1,5 kg|HTX Phú Khê|"},
		{printjob.Run{NetG: 250, Made: true}, "Lô: AO1-261125|Sản xuất: 25/11/2026|Khối lượng: 250 g|HTX Phú Khê|"},
		{printjob.Run{NetG: 0.5, Best: time.Date(2027, 5, 1, 17, 0, 0, 0, time.UTC)}, "Lô: AO1-261125|Thu hoạch: 25/11/2026|Hạn dùng: 02/05/2027|Khối lượng: 0,5 g|HTX Phú Khê|"},
	} {
		c.run.ID, c.run.Lot = "run", lot
		d := printjob.Detail{Job: printjob.Job{Run: "run", Lot: lot.Link(), Marks: []printjob.Mark{{N: 1}}}, Packed: c.run}
		labels, err := web.JobLabels("https://tx.example.vn/", coop, d, of)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, l := range labels[0].Lines {
			lines = append(lines, strings.ReplaceAll(l.Text, "\u00a0", " "))
		}
		if got := strings.Join(lines, "|"); labels[0].URL != "https://tx.example.vn/01/09521234010036/10/AO1-261125" || !strings.HasPrefix(got, c.want) || labels[0].Name != "Cá rô phi" {
			t.Errorf("%s %s: %s, want %s", labels[0].URL, labels[0].Name, got, c.want)
		}
	}
}

// A box says its number as GS1 has it read, or as the co-op's own, and what is in it; of many lots some.
func TestJobLabels_SayWhatIsInABox(t *testing.T) {
	of := func(l trace.Link) (trace.Dossier, error) {
		return trace.Dossier{Product: trace.Product{Name: farm.Text{VI: "Cá " + l.GTIN[13:]}}, Lot: trace.Lot{GTIN: l.GTIN, Code: l.Lot}}, nil
	}
	item := func(gtin, lot string, net float64, best time.Time) trace.Item {
		return trace.Item{GTIN: gtin, Lot: lot, NetG: net, Best: best}
	}
	const a, b = "09521234010036", "09521234010012"
	soon, late := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 5, 0, 0, 0, 0, time.UTC)
	filled := time.Date(2026, 11, 25, 1, 0, 0, 0, time.UTC)
	part := func(gtin, lot string, kg float64) trace.Part {
		return trace.Part{Ref: trace.Link{GTIN: gtin, Lot: lot}.Ref(), KG: kg}
	}
	for _, c := range []struct {
		box       printjob.Full
		url, want string
	}{
		{
			printjob.Full{Box: trace.Box{SSCC: "095212340000000013", Filled: filled}, Items: []trace.Item{item(a, "L1", 500, late), item(a, "L1", 500, soon), item(b, "L2", 1000, late)}},
			"/00/095212340000000013", "Cá 2, Cá 6|(00) 095212340000000013|1 gói × 1 kg, lô L2|2 gói × 500 g, lô L1|Tổng khối lượng: 2 kg|Đóng thùng: 25/11/2026|Hạn dùng sớm nhất: 01/12/2026|HTX Phú Khê",
		},
		{
			printjob.Full{Box: trace.Box{SSCC: "004000000000000015", Filled: filled, Parts: []trace.Part{part(a, "L1", 12.5)}}, Inner: []trace.Box{{Parts: []trace.Part{part(a, "L2", 1), part(a, "L3", 1), part(a, "L4", 1), part(a, "L5", 1)}}}, Items: []trace.Item{item(a, "L2", 500, time.Time{}), item(a, "L2", 700, time.Time{})}},
			"/t/004000000000000015", "Cá 6|Thùng số 004-000-000-000-000-015|12,5 kg, lô L1|2 gói, 2,2 kg, lô L2|1 kg, lô L3|1 kg, lô L4|và 1 lô nữa|Tổng khối lượng: 17,7 kg|Đóng thùng: 25/11/2026|HTX Phú Khê",
		},
	} {
		labels, err := web.JobLabels("https://tx.example.vn", farm.Coop{Name: farm.Text{VI: "HTX Phú Khê"}}, printjob.Detail{Boxes: []printjob.Full{c.box}}, of)
		if err != nil {
			t.Fatal(err)
		}
		got := labels[0].Name
		for _, l := range labels[0].Lines {
			got += "|" + strings.ReplaceAll(l.Text, "\u00a0", " ")
		}
		if labels[0].URL != "https://tx.example.vn"+c.url || got != c.want {
			t.Errorf("%s\n%s, want\n%s", labels[0].URL, got, c.want)
		}
	}
}

func TestPrint_BoardsAndCalibration(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	board := w.as(account.Technician, http.MethodGet, "/labels/boards.pdf?place="+own, nil, nil)
	if got := codesOf(t, "board.pdf", board.body, "203"); len(got) != 1 || got[0] != "https://tx.example.vn/p/"+own {
		t.Errorf("the board reads %q", got)
	}
	if got := w.as(account.Technician, http.MethodGet, "/labels/calibration.pdf?sheet=L7163", nil, nil); !bytes.HasPrefix(got.body, []byte("%PDF")) {
		t.Errorf("calibration: %d %.60q", got.status, got.body)
	}
}

func TestPrint_ACodeReadOutFindsWhatItIs(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	const serial, box = "0123456789ABC", "004000000000000015"
	w.items = map[string]trace.Item{serial: {Serial: serial, GTIN: w.demo.Lot.GTIN, Lot: w.demo.Lot.Code, State: trace.ItemShipped}}
	w.boxes = map[string]trace.Box{box: {SSCC: box}}
	short, err := w.demo.Lot.Link().Short()
	if err != nil {
		t.Fatal(err)
	}
	for code, want := range map[string]string{
		strings.ToLower(web.SpokenCode(short)): w.demo.Lot.Code,
		short[:8] + "?":                        "đọc sai hoặc gõ sai",
		own:                                    "Không có lô, gói hay thùng nào mang mã",
		web.SpokenCode(farm.WithCheck(serial)): web.SpokenCode(farm.WithCheck(serial)) + ", đã xuất",
		farm.WithCheck("1123456789ABC"):        "Không có lô, gói hay thùng nào mang mã",
		"004-000-000-000-000-015":              "/boxes/" + box,
		"004 000 000 000 000 022":              "Không có lô, gói hay thùng nào mang mã",
		strings.ReplaceAll(farm.WithCheck(serial), "0", "o"): w.demo.Lot.Code,
	} {
		if got := w.as(account.Technician, http.MethodGet, "/labels?code="+url.QueryEscape(code), nil, nil); !strings.Contains(string(got.body), want) {
			t.Errorf("%q: %d, no %q in %.900s", code, got.status, want, main(string(got.body)))
		}
	}
}

func TestBrowser_Print(t *testing.T) {
	axe := parttest.Axe(t)
	s := newStall(t, "http://127.0.0.1", "", 250)
	box := s.move(trace.Goods{Kind: trace.FillBox, In: []trace.Part{{Ref: s.ref(), Count: 20}}}).Out[0].Ref.ID
	s.move(trace.Goods{Kind: trace.Pack, Step: trace.StepPlain, In: []trace.Part{{Ref: s.ref()}}, Out: []trace.Part{{Ref: s.ref(), Count: 40}}, NetG: 500})
	b := s.signedIn(browser(t), account.Technician)
	look := func(name, path string) {
		for _, shade := range []string{"light", "dark"} {
			for screen, view := range map[string]step{"phone": phone(), "desk": desk()} {
				b.do(name, view, scheme(shade))
				visit(b, view, s.srv.URL+path)
				if complaints := axe(b.ctx); complaints != "" {
					t.Errorf("%s, %s, %s: %s", name, shade, screen, complaints)
				}
				if wide := ask1(b, name, evaluate[bool](`document.documentElement.scrollWidth > innerWidth`)); wide {
					t.Errorf("%s, %s: wider than the screen", name, screen)
				}
				if shade == "light" {
					shoot(b, name+"-"+screen)
				}
			}
		}
	}
	lot := "/labels/lot?" + url.Values{"link": {s.demo.Lot.Link().Path()}}.Encode()
	look("labels-barred", "/labels/print?run="+s.run)
	s.release()
	job := s.print("run", s.run, "n", "150", "start", "5")
	again := s.print("again", job, "slots", "3", "why", string(printjob.Jammed), "start", "8")
	look("labels", "/labels")
	look("labels-lot", lot)
	look("labels-print", "/labels/print?run="+s.run+"&start=5")
	look("labels-roll", "/labels/print?run="+s.run+"&on=roll")
	look("labels-box", "/labels/print?sheet=L7164&box="+box)
	look("labels-many", "/labels/print?n=500&run="+s.run)
	look("labels-job", "/labels/jobs/"+job)
	look("labels-again", "/labels/jobs/"+again)
	look("labels-jobs", "/labels/jobs")
}

// A long print says how far it is, and has its file when it is made, without a reload by hand.
func TestBrowser_PrintProgress(t *testing.T) {
	s := newStall(t, "http://127.0.0.1", "", 600)
	s.release()
	b := s.signedIn(browser(t), account.Technician)
	job := s.print("run", s.run)
	visit(b, phone(), s.srv.URL+"/labels/jobs/"+job)
	b.do("wait for the file", chromedp.WaitVisible(chromedp.CSS(`main:not(:has(#made)) a[href="/labels/jobs/`+job+`/file"]`)))
	g, _ := s.get("/labels/jobs/" + job + "/file")
	if g.status != http.StatusOK || !bytes.HasPrefix(g.body, []byte("%PDF")) {
		t.Errorf("%d %.40q", g.status, g.body)
	}
	if g, page := s.get("/labels/jobs/"+job, "from", "600"); g.status != http.StatusOK || !strings.Contains(page, "tem 501 đến 600") || strings.Count(page, `name="slots" value=`) != 100 {
		t.Errorf("%d %s", g.status, main(page))
	}
}

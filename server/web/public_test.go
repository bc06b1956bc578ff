package web_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ledger"
	"aovuon/server/media"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
	"aovuon/server/trace/scan"
)

// sourcesBook is the diary and the register of sources.
type sourcesBook struct{ s *sources }

func (b sourcesBook) RegisterRevision(context.Context) (string, error) {
	return fmt.Sprint(len(b.s.records)), b.s.fail()
}

func (b sourcesBook) Records(_ context.Context, kind farm.RecordKind) (out []farm.Record, err error) {
	for _, r := range b.s.records {
		if r.Kind == kind || kind == "" {
			out = append(out, r)
		}
	}
	return out, b.s.fail()
}

func (b sourcesBook) Events(_ context.Context, q diary.Query) (out []diary.Event, err error) {
	for _, e := range b.s.entries {
		if (len(q.Places) == 0 || slices.Contains(q.Places, e.Place)) && !e.At().Before(q.From) && (q.To.IsZero() || e.At().Before(q.To)) {
			out = append(out, e)
		}
	}
	return out, b.s.fail()
}

func (b sourcesBook) Event(context.Context, string) (diary.Event, bool, error) {
	return diary.Event{}, false, b.s.fail()
}

// keepBook gives sources a diary of the demo's lot: stocking, feed, a treatment whose waiting time was kept, the harvest.
func (s *sources) keepBook() {
	lot := s.demo.Lot
	n := 0
	add := func(kind string, at time.Time, v form.Values) {
		n++
		s.entries = append(s.entries, diary.Event{ID: fmt.Sprintf("01K0000000000000000000%04d", n), Kind: kind, Place: lot.Places[0], Values: v, Occurred: at, Recorded: at, Synced: at, Actor: "u-1"})
	}
	s.records = append(s.records,
		farm.Record{Kind: farm.Input, ID: "feed1", Values: form.Values{"name": "Cám Rô Phi 30 đạm", "type": farm.Feed, "unit": "kg", "withdrawal_days": 0.0}},
		farm.Record{Kind: farm.Input, ID: "drug1", Values: form.Values{"name": "Oxy-TS 50", "type": farm.Drug, "unit": "kg", "withdrawal_days": 28.0, "actives": []string{"oxytetracycline"}}},
		farm.Record{Kind: farm.Input, ID: "lime1", Values: form.Values{"name": "Vôi bột", "type": farm.Lime, "unit": "kg"}},
	)
	add(diary.PondPrep, lot.Stocked.AddDate(0, 0, -9), form.Values{"input": "lime1", "amount": 200.0})
	add(diary.Stocking, lot.Stocked, form.Values{"species": "cá rô phi", "hatchery": "Trại giống số 2", "seed_lot": "GIONG-260701", "quarantine_no": "KD-0231", "count": 12000.0})
	for i := range 20 {
		add(diary.Feeding, lot.Stocked.AddDate(0, 0, 2+6*i), form.Values{"input": "feed1", "amount": 40.0})
	}
	for i := range 9 {
		add(diary.WaterTest, lot.Stocked.AddDate(0, 0, 5+14*i), form.Values{"oxygen": 5.5})
	}
	add(diary.Treatment, lot.Stocked.AddDate(0, 0, 50), form.Values{"input": "drug1", "amount": 2.0, "reason": "đốm đỏ", "last_day": lot.Stocked.AddDate(0, 0, 55).Format(time.DateOnly)})
	add(diary.Harvest, lot.Harvested, form.Values{"kg": 1850.0, "residue_test": "KN-1187"})
}

// state is a code of which the page is looked at, and what it must say.
type state struct{ name, path, says string }

// states gives sources a lot and an item in every state that a page can tell.
func (s *sources) states() []state {
	s.keepBook()
	link := s.demo.Lot.Link()
	base := s.dossiers[link]
	lot := func(code string, st trace.State) trace.Link {
		d := base
		d.Lot.Code, d.Lot.State = code, st
		s.dossiers[d.Lot.Link()] = d
		return d.Lot.Link()
	}
	s.items = map[string]trace.Item{}
	item := func(serial string, of trace.Link, st trace.ItemState, best time.Time) string {
		s.items[serial] = trace.Item{Serial: serial, GTIN: of.GTIN, Lot: of.Lot, Run: "01K0PACK", N: 1, NetG: 800, Best: best, State: st, Changed: now()}
		of.Serial = serial
		return of.Path()
	}
	released := lot("AO1-261101", trace.Released)
	day := time.Date(2026, 12, 20, 0, 0, 0, 0, farm.Time())
	s.goods = []trace.Goods{
		{ID: "01K0PACK", Kind: trace.Pack, At: base.Lot.Harvested.Add(3 * time.Hour), In: []trace.Part{{Ref: released.Ref(), KG: 480}}, Out: []trace.Part{{Ref: released.Ref(), KG: 480, Count: 600}}},
		{ID: "01K0ISSUE", Kind: trace.Issue, At: base.Lot.Harvested.Add(2 * time.Hour), In: []trace.Part{{Ref: released.Ref()}}},
		{ID: "01K0SHIP", Kind: trace.Ship, At: base.Lot.Harvested.Add(9 * time.Hour), In: []trace.Part{{Ref: released.Ref(), KG: 480}}, Buyer: "buyer-1"},
	}
	const box = "106141411234567897"
	s.boxes = map[string]trace.Box{box: {SSCC: box, State: trace.ItemShipped, Filled: now(), Parts: []trace.Part{{Ref: released.Ref(), Items: []string{"9SRM4C2K7P0XA"}, Count: 24}}}}
	return []state{
		{"valid", item("9SRM4C2K7P0XA", released, trace.ItemShipped, day), "Mã hợp lệ"},
		{"lot", released.Path(), "Mã hợp lệ"},
		{"not-activated", item("9SRM4C2K7P0XB", released, trace.ItemPrinted, day), "Tem chưa dùng"},
		{"label-void", item("9SRM4C2K7P0XC", released, trace.ItemVoid, day), "TEM ĐÃ BỊ HỦY"},
		{"expired", item("9SRM4C2K7P0XD", released, trace.ItemShipped, day.AddDate(0, -1, 0)), "ĐÃ QUÁ HẠN"},
		{"not-released", link.Path(), "Chưa duyệt bán"},
		{"held", lot("AO1-261102", trace.Held).Path(), "ĐANG BỊ GIỮ LẠI"},
		{"void", lot("AO1-261103", trace.Void).Path(), "ĐÃ BỊ HỦY"},
		{"recalled", item("9SRM4C2K7P0XE", lot("AO1-261104", trace.Recalled), trace.ItemShipped, day), "ĐÃ BỊ THU HỒI"},
		{"growing", lot("AO1-261105", trace.Growing).Path(), "đang nuôi trồng"},
		{"unknown", "/01/09521234010036/10/AO1-261101/21/9SRM4C2K7P0XZ", "Không có mã này"},
		{"malformed", "/01/09521234010037/10/A", "chữ số kiểm tra"},
		{"report", released.Path() + "?report", "Báo cho hợp tác xã"},
		{"box", "/00/" + box, "Thùng hàng"},
	}
}

func TestPublicPage_TellsEveryState(t *testing.T) {
	s := newSources(t)
	states := s.states()
	srv := s.pages(t)
	for _, st := range states {
		for _, lang := range []string{"vi", "en"} {
			res := get(t, srv, withLang(st.path, lang), http.Header{"Accept-Encoding": {"gzip"}})
			if res.header.Get("Content-Encoding") == "gzip" && len(res.body) > 14<<10 {
				t.Errorf("%s, %s: %d bytes compressed", st.name, lang, len(res.body))
			}
		}
		body := html.UnescapeString(string(get(t, srv, st.path, nil).body))
		if !strings.Contains(body, st.says) {
			t.Errorf("%s does not say %q", st.name, st.says)
		}
		for _, never := range []string{"hàng thật", "chính hãng", "genuine", "buyer-1", "<script"} {
			if strings.Contains(strings.ToLower(body), never) {
				t.Errorf("%s says %q", st.name, never)
			}
		}
		if strings.Contains(body, "%!") || strings.Contains(body, "ZgotmplZ") {
			t.Errorf("%s: a text is not whole", st.name)
		}
	}
	for _, path := range []string{states[6].path, states[7].path} { // held and void
		body := string(get(t, srv, path, nil).body)
		for _, never := range []string{"Oxy-TS", "mg/L", "GIONG", "class=\"chart\"", "600 gói"} {
			if strings.Contains(body, never) {
				t.Errorf("%s claims %q", path, never)
			}
		}
	}
}

func TestPublicPage_TellsTheWayAndTheWaiting(t *testing.T) {
	s := newSources(t)
	states := s.states()
	srv := s.pages(t)
	body := html.UnescapeString(string(get(t, srv, states[0].path, nil).body))
	for _, want := range []string{
		"lô giống GIONG-260701", "kiểm dịch số KD-0231", "20\u00a0lần", "Oxy-TS 50 (oxytetracycline)", "Phải chờ 28 ngày, thu từ 04/10/2026", "Đã chờ đủ: thu hoạch 23/11/2026, sau 79 ngày",
		"600 gói", "Xuất hàng", "9SRM4C2K7P0XA", "800\u00a0g", "20/12/2026", "Hoàng Sa", "Trường Sa", "33 mục trong sổ nhật ký", "Phiếu thử theo sổ nhật ký: KN-1187", "gw-ao-phukhe", "từ 4\u00a0mg/L trở lên: 99,5", "Có số liệu 21,2",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("does not say %q", want)
		}
	}
	if strings.Contains(body, "20.769") || strings.Contains(body, "106.238") {
		t.Error("tells where exactly the pond lies")
	}
	// A harvest before the time was over is said as loud.
	s.entries[len(s.entries)-2].Values["last_day"] = s.demo.Lot.Harvested.AddDate(0, 0, -5).Format(time.DateOnly)
	d := s.dossiers[s.demo.Lot.Link()]
	d.Lot.KG++
	s.dossiers[s.demo.Lot.Link()] = d
	if body := html.UnescapeString(string(get(t, srv, s.demo.Lot.Link().Path(), nil).body)); !strings.Contains(body, "CHƯA ĐỦ: thu hoạch 23/11/2026") {
		t.Error("a waiting time that was not kept is not told")
	}
	s.entries = slices.DeleteFunc(s.entries, func(e diary.Event) bool { return e.Kind == diary.Treatment })
	d.Lot.KG++
	s.dossiers[s.demo.Lot.Link()] = d
	if body := string(get(t, srv, s.demo.Lot.Link().Path(), nil).body); !strings.Contains(body, "Sổ nhật ký không ghi lần dùng thuốc nào") {
		t.Error("that nothing was used is not told")
	}
}

// A lot that was made of others, or by others, has no place of its own: what is told is how it was made, and of what; nothing of anybody's pond.
func TestPublicPage_OfALotWithoutAPlaceTellsNoOther(t *testing.T) {
	s := newSources(t)
	s.keepBook()
	base := s.dossiers[s.demo.Lot.Link()]
	noodle, rice := base, base
	noodle.Lot.Code, noodle.Lot.Places, noodle.Lot.State, noodle.Lot.Species, noodle.Lot.Stocked = "BD-261123", nil, trace.Released, farm.Text{VI: "bánh đa"}, base.Lot.Harvested
	noodle.Lot.Scientific, noodle.Product.Name, noodle.Evidence = "", farm.Text{VI: "Bánh đa"}, nil
	rice.Lot.Code, rice.Lot.Places, rice.Lot.State = "GAO-261120", nil, trace.Harvested
	s.dossiers[noodle.Lot.Link()], s.dossiers[rice.Lot.Link()] = noodle, rice
	at := base.Lot.Harvested.Add(time.Hour)
	s.goods = []trace.Goods{{ID: "01K0MADE", Kind: trace.Transform, Step: trace.StepProcess, At: at, In: []trace.Part{{Ref: rice.Lot.Link().Ref(), KG: 120}}, Out: []trace.Part{{Ref: noodle.Lot.Link().Ref(), KG: 104}}}}
	srv := s.pages(t)
	body := html.UnescapeString(string(get(t, srv, noodle.Lot.Link().Path(), nil).body))
	for _, want := range []string{"Chế biến", "120\u00a0kg thành 104\u00a0kg", `href="` + rice.Lot.Link().Path() + `"`, "Ngày làm xong"} {
		if !strings.Contains(body, want) {
			t.Errorf("does not say %q", want)
		}
	}
	for _, never := range []string{"Cho ăn", "Oxy-TS", "GIONG", "Ngày thả", "Nước ao", "Loài", "con cá"} {
		if strings.Contains(body, never) {
			t.Errorf("says %q", never)
		}
	}
	s.goods = []trace.Goods{{ID: "01K0GOT", Kind: trace.Receive, At: at, Supplier: "Đại lý Hạnh", Out: []trace.Part{{Ref: rice.Lot.Link().Ref(), KG: 300}}}}
	body = html.UnescapeString(string(get(t, srv, rice.Lot.Link().Path(), nil).body))
	if !strings.Contains(body, "Nhận hàng") || !strings.Contains(body, "Ngày nhận") || strings.Contains(body, "Ngày thả") || strings.Contains(body, "Hạnh") {
		t.Error("a lot that others made is told as one of the co-op's ponds, or names who sold it")
	}
}

// Goods leave in boxes: the event names the box, and the page tells it of the lot.
func TestPublicPage_TellsWhenItsBoxesLeft(t *testing.T) {
	s := newSources(t)
	s.states()
	box := trace.Ref{Kind: trace.RefBox, ID: "106141411234567897"}
	lot := trace.Link{GTIN: s.demo.Lot.GTIN, Lot: "AO1-261101"}
	day := s.demo.Lot.Harvested.AddDate(0, 0, 1)
	s.goods = []trace.Goods{{ID: "01K0FILL", Kind: trace.FillBox, At: day, In: []trace.Part{{Ref: lot.Ref(), Count: 20}}, Out: []trace.Part{{Ref: box}}}}
	s.ofBox = []trace.Goods{{ID: "01K0LEFT", Kind: trace.Ship, At: day.Add(time.Hour), In: []trace.Part{{Ref: box}}, Buyer: "buyer-1"}}
	srv := s.pages(t)
	if body := string(get(t, srv, lot.Path(), nil).body); !strings.Contains(body, "Xuất hàng") {
		t.Error("does not say that it left")
	}
	s.ofBox = append(s.ofBox, trace.Goods{ID: "01K0UNDO", Kind: trace.Amend, Voids: "01K0LEFT", At: day.Add(2 * time.Hour)})
	d := s.dossiers[lot]
	d.Lot.KG++
	s.dossiers[lot] = d
	if body := string(get(t, srv, lot.Path(), nil).body); strings.Contains(body, "Xuất hàng") {
		t.Error("says that it left, which was taken back")
	}
}

func TestPublicPage_OfAnItemIsItsOwn(t *testing.T) {
	s := newSources(t)
	states := s.states()
	srv := s.pages(t)
	i := s.items["9SRM4C2K7P0XA"]
	for path, want := range map[string]int{
		i.Link().Path(): 200, trace.Link{GTIN: i.GTIN, Serial: i.Serial}.Path(): 200,
		trace.Link{GTIN: i.GTIN, Lot: "AO1-261104", Serial: i.Serial}.Path():           404, // of another lot
		trace.Link{GTIN: "09506000134352", Serial: i.Serial}.Path():                    404, // of another product
		trace.Link{GTIN: i.GTIN, Lot: i.Lot, Serial: strings.ToLower(i.Serial)}.Path(): 404,
		trace.Link{GTIN: i.GTIN, Variant: "1", Lot: i.Lot, Serial: i.Serial}.Path():    404,
		trace.Link{GTIN: i.GTIN, Lot: i.Lot, Serial: "9SRM4C2K7P0X' OR '1'='1"}.Path(): 404,
	} {
		if res := get(t, srv, path, nil); res.status != want {
			t.Errorf("%s: %d, want %d", path, res.status, want)
		}
	}
	other := trace.Link{GTIN: "09506000134352", Lot: i.Lot} // a number that the product had
	s.dossiers[other] = s.dossiers[trace.Link{GTIN: i.GTIN, Lot: i.Lot}]
	other.Serial = i.Serial
	if res := get(t, srv, other.Path(), nil); res.status != 200 {
		t.Errorf("a label with the number from before: %d", res.status)
	}
	if a, b := get(t, srv, states[0].path, nil), get(t, srv, states[2].path, nil); a.header.Get("ETag") == b.header.Get("ETag") || bytes.Equal(a.body, b.body) {
		t.Error("two items of a lot have the same page")
	}
	s.seen = scan.Facts{First: now().Add(-25 * time.Hour), Province: "Hải Phòng", Count: 3}
	if body := html.UnescapeString(string(get(t, srv, states[0].path, nil).body)); !strings.Contains(body, "Quét lần đầu 23/11/2026 06:40, Hải Phòng; đến nay đã quét 3 lần.") {
		t.Error("earlier scans are not told")
	}
	s.seen.Unusual = []string{"spread"}
	if body := string(get(t, srv, states[0].path, nil).body); !strings.Contains(body, "Xin xem kỹ") || !strings.Contains(body, `class="say wait"`) {
		t.Error("unusual scans are not told")
	}
	s.seen = scan.Facts{Unknown: true}
	if body := html.UnescapeString(string(get(t, srv, states[0].path, nil).body)); strings.Contains(body, "lần đầu mã này được quét") || !strings.Contains(body, i.Serial) {
		t.Error("of scans that nobody can look up something is said")
	}
	last := s.scanned[len(s.scanned)-1]
	if last.Code != i.Link().Path() || last.Addr == "" || !last.At.Equal(now()) {
		t.Errorf("the scan is told as %+v", last)
	}
}

// A page that was drawn before is not sent after the lot was recalled, held, or let go: not by one answer. The records are those of a real
// database, and many ask at once.
func TestPublicPage_ShowsARecallByTheNextAnswer(t *testing.T) {
	s := newSources(t)
	db, err := sqldb.Open(t.Context(), sqldbtest.Fresh(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	by := ledger.By{Actor: "u-1", At: now()}
	d := s.dossiers[s.demo.Lot.Link()]
	for _, err := range []error{db.SaveFarm(t.Context(), s.farm, by), db.SaveProduct(t.Context(), d.Product, by), db.SaveLot(t.Context(), d.Lot, by), db.SaveEvidence(t.Context(), d.Lot.Link(), d.Evidence, now())} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s.lots = db
	srv := s.pages(t)
	path := d.Lot.Link().Path()
	tag := ""
	for i, st := range []struct {
		state trace.State
		want  string
	}{{trace.Released, "Mã hợp lệ"}, {trace.Recalled, "ĐÃ BỊ THU HỒI"}, {trace.Released, "Mã hợp lệ"}, {trace.Held, "ĐANG BỊ GIỮ LẠI"}, {trace.Released, "Mã hợp lệ"}} {
		d.Lot.State = st.state
		if err := db.SaveLot(t.Context(), d.Lot, by); err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				res := get(t, srv, path, http.Header{"If-None-Match": {tag}})
				if res.status != 200 || !strings.Contains(string(res.body), st.want) {
					t.Errorf("step %d: %d, does not say %q", i, res.status, st.want)
				}
			})
		}
		wait.Wait()
		tag = get(t, srv, path, nil).header.Get("ETag")
		if res := get(t, srv, path, http.Header{"If-None-Match": {tag}}); res.status != http.StatusNotModified {
			t.Errorf("step %d: the same page is sent again: %d", i, res.status)
		}
	}
	// Evidence and people are in no leaf of the lot's, and yet show at once.
	d.Evidence[0].Min -= 3
	if err := db.SaveEvidence(t.Context(), d.Lot.Link(), d.Evidence, now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if res := get(t, srv, path, http.Header{"If-None-Match": {tag}}); res.status != 200 {
		t.Errorf("other evidence: %d", res.status)
	}
}

func TestPublicPage_GzipOrNot(t *testing.T) {
	s := newSources(t)
	states := s.states()
	srv := s.pages(t)
	plain := get(t, srv, states[0].path, http.Header{"Accept-Encoding": {"identity"}})
	for accept, zipped := range map[string]bool{"gzip": true, "br, gzip;q=0.5": true, "gzip;q=0": false, "gzip; q=0.0, br": false, "br": false, "*": true, "": false} {
		res := get(t, srv, states[0].path, http.Header{"Accept-Encoding": {accept}})
		if (res.header.Get("Content-Encoding") == "gzip") != zipped || !slices.Contains(res.header["Vary"], "Accept-Encoding") || res.header.Get("ETag") != plain.header.Get("ETag") {
			t.Errorf("%q: %v", accept, res.header)
		}
		if !zipped && !bytes.Equal(res.body, plain.body) {
			t.Errorf("%q: another page", accept)
		}
		if zipped {
			if got := gunzip(t, res.body); !bytes.Equal(got, plain.body) {
				t.Errorf("%q: another page within", accept)
			}
		}
	}
}

func TestReport_IsKept(t *testing.T) {
	s := newSources(t)
	states := s.states()
	srv := s.pages(t)
	form := get(t, srv, states[0].path+"?report", nil)
	if body := string(form.body); !strings.Contains(body, `action="/report"`) || !strings.Contains(body, `value="`+states[0].path+`"`) || !strings.Contains(form.header.Get("Content-Security-Policy"), "form-action 'self'") {
		t.Errorf("the form: %s", body)
	}
	send := func(v url.Values) got { return sendForm(t, srv, "/report", v) }
	if res := send(url.Values{"code": {states[0].path}, "note": {"lạ"}}); res.status != 422 || !strings.Contains(string(res.body), "xin chọn bạn thấy điều gì") || !strings.Contains(string(res.body), "lạ</textarea>") {
		t.Errorf("without a choice: %d", res.status)
	}
	if res := send(url.Values{"code": {states[0].path}, "what": {"label"}, "note": {strings.Repeat("x", 9000)}}); res.status != 422 {
		t.Errorf("too long: %d", res.status)
	}
	res := send(url.Values{"code": {states[0].path}, "what": {"label"}, "where": {"chợ Chi Lăng"}, "note": {"<b>tem mờ"}, "contact": {"0900 123 456"}, "lang": {"en"}})
	if res.status != 200 || !strings.Contains(string(res.body), "Thank you") || res.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d", res.status)
	}
	if len(s.reports) != 1 || s.reports[0].What != "label" || s.reports[0].Code != states[0].path || s.reports[0].Contact != "0900 123 456" || !diary.ValidID(s.reports[0].ID) {
		t.Errorf("kept: %+v", s.reports)
	}
	if res := send(url.Values{"code": {"https://evil.example/"}, "what": {"page"}}); strings.Contains(string(res.body), `href="https://evil`) {
		t.Error("a report leads to another host")
	}
	for range 5 {
		res = send(url.Values{"what": {"page"}})
	}
	if res.status != http.StatusTooManyRequests {
		t.Errorf("the ninth report of an address: %d", res.status)
	}
}

func TestPicture_IsSmallAndOfProductsAlone(t *testing.T) {
	s := newSources(t)
	s.keepBook()
	large := image.NewRGBA(image.Rect(0, 0, 2000, 1500))
	for i := range large.Pix { // as bad as a photo can be
		large.Pix[i] = byte(i*i>>7 ^ i*31)
	}
	large.Set(0, 0, color.White)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, large, nil); err != nil {
		t.Fatal(err)
	}
	s.shelf = &oneShelf{raw: b.Bytes()}
	shown, paper := strings.Repeat("a", 64), strings.Repeat("b", 64)
	d := s.dossiers[s.demo.Lot.Link()]
	d.Product.Record = "prod1"
	s.dossiers[s.demo.Lot.Link()] = d
	s.records = append(s.records,
		farm.Record{Kind: farm.Product, ID: "prod1", Values: form.Values{"name": "Cá rô phi", "picture": []string{shown}}},
		farm.Record{Kind: farm.Certificate, ID: "cert1", Values: form.Values{"number": "1", "file": []string{paper}}},
	)
	srv := s.pages(t)
	href := "/picture/prod1/" + shown + ".jpg"
	if body := string(get(t, srv, s.demo.Lot.Link().Path(), nil).body); !strings.Contains(body, `src="`+href+`"`) {
		t.Error("the page has no picture")
	}
	res := get(t, srv, href, nil)
	c, err := jpeg.DecodeConfig(bytes.NewReader(res.body))
	if res.status != 200 || err != nil || len(res.body) > 30<<10 || c.Width > 640 || res.header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("%d, %d bytes, %v, %+v", res.status, len(res.body), err, c)
	}
	for _, path := range []string{"/picture/cert1/" + paper + ".jpg", "/picture/prod1/" + paper + ".jpg", "/picture/prod1/" + shown, "/picture/none/" + shown + ".jpg"} {
		if res := get(t, srv, path, nil); res.status != 404 {
			t.Errorf("%s: %d", path, res.status)
		}
	}
}

// oneShelf has one photo under every hash.
type oneShelf struct{ raw []byte }

func (s *oneShelf) Keep(context.Context, []byte, ledger.By) (diary.Media, error) {
	return diary.Media{}, media.ErrKind
}

func (s *oneShelf) Media(_ context.Context, sum string) (diary.Media, []byte, bool, error) {
	return diary.Media{SHA256: sum, Type: "image/jpeg"}, s.raw, true, nil
}

func gunzip(t *testing.T, z []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(z))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// sendForm sends a form as a browser does from our own page.
func sendForm(t *testing.T, srv *httptest.Server, path string, v url.Values) got {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+path, strings.NewReader(v.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return got{res.StatusCode, res.Header, body}
}

func TestBoxPage_TellsTheGravestOfWhatIsInIt(t *testing.T) {
	s := newSources(t)
	s.states()
	link := func(code string) trace.Link { return trace.Link{GTIN: s.demo.Lot.GTIN, Lot: code} }
	const mine, theirs, inner, bad = "004000000000000015", "106141411234567897", "106141411234567880", "106141411234567873"
	s.boxes = map[string]trace.Box{
		mine:   {SSCC: mine, State: trace.ItemShipped, Filled: now(), Parts: []trace.Part{{Ref: link("AO1-261101").Ref(), Items: []string{"9SRM4C2K7P0XA", "9SRM4C2K7P0XD"}, Count: 2}}},
		theirs: {SSCC: theirs, State: trace.ItemShipped, Filled: now(), Parts: []trace.Part{{Ref: link("AO1-261101").Ref(), KG: 25}, {Ref: trace.Ref{Kind: trace.RefBox, ID: inner}}}},
		inner:  {SSCC: inner, State: trace.ItemShipped, Filled: now(), Parts: []trace.Part{{Ref: link("AO1-261104").Ref(), KG: 5}}},
		bad:    {SSCC: bad, State: trace.ItemVoid, Filled: now()},
	}
	srv := s.pages(t)
	for path, want := range map[string][]string{
		"/t/" + mine:    {"Mã hợp lệ", "AO1-261101", "2 gói", "Số thùng của hợp tác xã"},
		"/00/" + theirs: {"ĐÃ BỊ THU HỒI", "AO1-261101", "AO1-261104", "5\u00a0kg", "SSCC"},
		"/00/" + bad:    {"TEM ĐÃ BỊ HỦY", "Thùng này đang trống"},
	} {
		res := get(t, srv, path, nil)
		body := html.UnescapeString(string(res.body))
		for _, say := range want {
			if res.status != 200 || !strings.Contains(body, say) {
				t.Errorf("%s: %d, does not say %q", path, res.status, say)
			}
		}
		if strings.Contains(body, "9SRM4C2K7P0XA") {
			t.Errorf("%s: tells the serials of a box to everybody", path)
		}
	}
	for _, path := range []string{"/00/" + mine, "/00/106141411234567866", "/t/" + theirs + "?report"} {
		if res := get(t, srv, path, nil); strings.Contains(path, "?report") != (res.status == 200) {
			t.Errorf("%s: %d", path, res.status)
		}
	}
	if got := s.scanned[len(s.scanned)-1].Code; !strings.HasPrefix(got, "/00/") && !strings.HasPrefix(got, "/t/") {
		t.Errorf("scan of %q", got)
	}
}

func TestPlacePage_TellsStrangersWhatStandsThere(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	d := w.dossiers[w.demo.Lot.Link()]
	d.Lot.State = trace.Released
	w.demo.Lot = d.Lot
	res := w.as(account.Public, http.MethodGet, "/p/"+own, nil, nil)
	body := html.UnescapeString(string(res.body))
	for _, want := range []string{"Ao 1", "thôn Phú Khê", own, "AO1-261123", "Hoàng Sa", "/sign-in?next=/p/" + own} {
		if res.status != 200 || !strings.Contains(body, want) {
			t.Errorf("%d, does not say %q", res.status, want)
		}
	}
	for _, never := range []string{"mg/L", "ao1-do", "<script", "20.769", "HO-01"} {
		if strings.Contains(body, never) {
			t.Errorf("says %q", never)
		}
	}
	if !strings.Contains(res.header.Get("Content-Security-Policy"), "sha256-") {
		t.Errorf("policy %q", res.header.Get("Content-Security-Policy"))
	}
}

package portal_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/trace"
	"aovuon/server/trace/epcis"
	"aovuon/server/trace/portal"
)

var noon = time.Date(2026, 10, 18, 12, 0, 0, 0, farm.Time())

func words(key string, args ...string) string {
	return strings.Join(append([]string{key}, args...), " ")
}

// whole is a lot of which everything is on record.
func whole(t *testing.T) portal.Source {
	t.Helper()
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	f.Coop.Demo = false
	lot := trace.Lot{GTIN: "09521234010036", Code: "AO1-261018", Places: []string{"F7NE3CDQ7"}, Stocked: noon.AddDate(0, -5, 0), Harvested: noon, KG: 100, State: trace.Released}
	return portal.Source{
		Story: epcis.Source{
			Names: epcis.Names{Base: "https://tx.example.vn"}, Farm: f,
			Dossiers: []trace.Dossier{{
				Lot: lot, Product: trace.Product{GTIN: lot.GTIN, Name: farm.Text{VI: "=Cá rô phi"}},
				Certificates: []trace.Certificate{{ID: "c/1", Scheme: "VietGAP", Standard: "TCVN 13528-1:2022", Number: "TS-1", Issuer: "QUACERT", From: noon.AddDate(-1, 0, 0), To: noon.AddDate(1, 0, 0)}},
			}},
			Goods: []trace.Goods{{ID: "G1", Kind: trace.Pack, At: noon, NetG: 500, Best: noon.AddDate(0, 0, 7), In: []trace.Part{{Ref: lot.Link().Ref(), KG: 1}}, Out: []trace.Part{{Ref: lot.Link().Ref(), KG: 1, Count: 2}}}},
		},
		Lot: lot.Link(), Product: farm.Record{ID: "p1", Values: form.Values{"brand": "Phú Khê", "shelf_days": 7.0}}, Picture: "https://tx.example.vn/picture/p1/x.jpg",
		GLN: "9521234000013", Address: "https://tx.example.vn/01/09521234010036/10/AO1-261018", Items: 2, T: words,
	}
}

func field(t *testing.T, r portal.Record, key string) portal.Field {
	t.Helper()
	i := slices.IndexFunc(r.Fields, func(f portal.Field) bool { return f.Key() == key })
	if i < 0 {
		t.Fatalf("no field %s", key)
	}
	return r.Fields[i]
}

func TestMake_AWholeLotMissesNothing(t *testing.T) {
	r, err := portal.Make(whole(t))
	if err != nil {
		t.Fatal(err)
	}
	if r.Missing() != 0 || len(r.Fields) != 17 || len(r.Stages) != 2 {
		t.Errorf("%d missing of %d, %d stages: %+v", r.Missing(), len(r.Fields), len(r.Stages), r.Fields)
	}
	for key, want := range map[string]string{
		"portal.tt02.6": "18/05/2026 – 18/10/2026", "portal.tt02.8": "Phú Khê|portal.v.items 2", "portal.tt02.9": "portal.v.days 7|portal.v.best 25/10/2026",
		"portal.tt02.10": "TCVN 13528-1:2022", "portal.nd37.1": "=Cá rô phi|09521234010036", "portal.nd37.5": "VietGAP, TCVN 13528-1:2022, TS-1, QUACERT, 18/10/2025 – 17/10/2027",
		"portal.nd37.3": "thôn Phú Khê, địa bàn xã Chi Lăng Bắc cũ, thành phố Hải Phòng, portal.v.country",
	} {
		if got := strings.Join(field(t, r, key).Values, "|"); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	if f := field(t, r, "portal.nd37.7"); f.State != portal.NotAny {
		t.Errorf("a warning: %+v", f)
	}
}

// What is taken away is missing, or is said not to be there; nothing stands in for it.
func TestMake_WhatIsNotOnRecordIsMissing(t *testing.T) {
	for name, tc := range map[string]struct {
		take  func(*portal.Source)
		field string
		state portal.State
	}{
		"picture":          {func(s *portal.Source) { s.Picture = "" }, "portal.tt02.2", portal.Missing},
		"gtin":             {func(s *portal.Source) { s.Lot.GTIN = farm.InternalNumber(1); s.Story.Dossiers[0].Lot.GTIN = s.Lot.GTIN }, "portal.nd37.1", portal.Missing},
		"gln":              {func(s *portal.Source) { s.GLN = "" }, "portal.nd37.2", portal.Missing},
		"address":          {func(s *portal.Source) { s.Story.Farm.Coop.Addresses = nil }, "portal.tt02.4", portal.Missing},
		"address of then":  {func(s *portal.Source) { s.Story.Farm.Coop.Addresses = s.Story.Farm.Coop.Addresses[:1] }, "portal.nd37.2", portal.Missing},
		"standard":         {func(s *portal.Source) { s.Story.Dossiers[0].Certificates = nil }, "portal.tt02.10", portal.Missing},
		"made-up standard": {func(s *portal.Source) { s.Story.Dossiers[0].Certificates[0].Demo = true }, "portal.tt02.10", portal.Missing},
		"certificates":     {func(s *portal.Source) { s.Story.Dossiers[0].Certificates = nil }, "portal.nd37.5", portal.NotAny},
		"brand":            {func(s *portal.Source) { s.Product = farm.Record{}; s.Items = 0 }, "portal.tt02.8", portal.NotAny},
		"shelf":            {func(s *portal.Source) { s.Product = farm.Record{}; s.Story.Goods = nil }, "portal.tt02.9", portal.NotAny},
		"place":            {func(s *portal.Source) { s.Story.Dossiers[0].Lot.Places = nil }, "portal.nd37.3", portal.Missing},
		"harvest":          {func(s *portal.Source) { s.Story.Dossiers[0].Lot.Harvested = time.Time{} }, "portal.tt02.6", portal.Missing},
		"recall":           {func(s *portal.Source) { s.Story.Dossiers[0].Lot.State = trace.Recalled }, "portal.nd37.7", portal.Told},
	} {
		s := whole(t)
		tc.take(&s)
		r, err := portal.Make(s)
		if err != nil {
			t.Fatal(err)
		}
		if f := field(t, r, tc.field); f.State != tc.state {
			t.Errorf("%s: %+v, want %s", name, f, tc.state)
		}
	}
	s := whole(t)
	s.Lot.Lot = "NO"
	if _, err := portal.Make(s); err == nil {
		t.Error("a lot that nobody told of")
	}
}

func TestWriteZip_HoldsTheTablesAndTheirSums(t *testing.T) {
	s := whole(t)
	r, err := portal.Make(s)
	if err != nil {
		t.Fatal(err)
	}
	var a, b bytes.Buffer
	for _, w := range []io.Writer{&a, &b} {
		if err := portal.WriteZip(w, r, s.Story.Names, words, noon); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same record is not the same bytes")
	}
	z, err := zip.NewReader(bytes.NewReader(a.Bytes()), int64(a.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(string(files[portal.FileSums])) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		if got := sha256.Sum256(files[name]); hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s has another sum", name)
		}
	}
	if _, problems := epcis.Decode(files[portal.FileEPCIS]); len(problems) > 0 {
		t.Errorf("%v", problems)
	}
	for name, lines := range map[string]int{portal.FileCircular: 11, portal.FilePassport: 8, portal.FileStages: 3} {
		raw, ok := bytes.CutPrefix(files[name], []byte("\xef\xbb\xbf"))
		c := csv.NewReader(bytes.NewReader(raw))
		c.Comma = ';'
		rows, err := c.ReadAll()
		if err != nil || !ok || len(rows) != lines {
			t.Fatalf("%s: %d rows, %v", name, len(rows), err)
		}
		if name == portal.FileCircular && rows[1][2] != "'=Cá rô phi" {
			t.Errorf("a formula is not marked: %v", rows[1])
		}
	}
	if len(files) != 6 || !strings.Contains(string(files[portal.FileReadMe]), "portal.readme.connector") {
		t.Errorf("%d files, %s", len(files), files[portal.FileReadMe])
	}
}

package sheet_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"testing"

	"aovuon/server/farm"
	"aovuon/server/sheet"
)

func zipOf(t testing.TB, parts map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range parts {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// xlsxOf is the smallest workbook with these rows.
func xlsxOf(t testing.TB, rows string) string {
	return zipOf(t, map[string]string{
		"xl/workbook.xml":            `<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml":   `<worksheet><sheetData>` + rows + `</sheetData></worksheet>`,
	})
}

// Whatever is sent is read or refused with a reason; what is read stays within the limits and can be planned.
func FuzzRead(f *testing.F) {
	tab, words := table(f, farm.Input, "vi")
	var x bytes.Buffer
	if err := tab.WriteXLSX(&x, words, []farm.Record{{Kind: farm.Input, ID: "a", Revision: 1, Values: map[string]any{"name": "=x", "unit": "kg", "type": "feed"}}}, named); err != nil {
		f.Fatal(err)
	}
	f.Add(x.Bytes(), false)
	f.Add([]byte("sep=,\nname,type\n\"a\",b\n"), false)
	f.Add([]byte("Tên;Hoạt chất\n'=x;a;b\n"), false)
	f.Add([]byte(`<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row><row><c t="s"><v>0</v></c><c><f/></c></row>`), true)
	f.Fuzz(func(t *testing.T, raw []byte, rows bool) {
		if rows {
			raw = []byte(xlsxOf(t, string(raw)))
		}
		out, err := tab.Read(raw)
		if _, said := errors.AsType[*sheet.FileError](err); err != nil && !said {
			t.Fatal(err)
		}
		if len(out) > sheet.MostRows+1 {
			t.Fatalf("%d rows", len(out))
		}
		tab.Plan(out, ground(nil))
	})
}

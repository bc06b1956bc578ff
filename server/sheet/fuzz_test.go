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

// parts are those of the smallest workbook, with these rows.
func parts(rows string) map[string]string {
	return map[string]string{
		"xl/workbook.xml":            `<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml":   `<worksheet><sheetData>` + rows + `</sheetData></worksheet>`,
	}
}

// xlsxOf is the smallest workbook with these rows.
func xlsxOf(t testing.TB, rows string) string {
	t.Helper()
	return zipOf(t, parts(rows))
}

// Whatever is sent is read or refused with a reason; what is read stays within the limits and can be planned.
//
// The parts of a workbook are drawn, not the ZIP around them: its checksums would refuse nearly every draw before a line of ours runs. Seeds
// are short, for the tries to shorten a draw that is of interest grow with the square of its length, and count as no executions: with
// a whole workbook among the seeds the target stood still for a minute at a time.
func FuzzRead(f *testing.F) {
	tab, _ := table(f, farm.Input, "vi")
	const rows = `<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row><row><c t="s"><v>0</v></c><c><f/></c></row>`
	names := []string{"", "rows", "xl/sharedStrings.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"} // "": the file itself
	for _, s := range []struct {
		raw  string
		part uint8
	}{
		{"sep=,\nname,type\n\"a\",b\n", 0},
		{"Tên;Hoạt chất\n'=x;a;b\n", 0},
		{"PK\x03\x04", 0},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0},
		{rows, 1},
		{`<row><c t="str"><v>name</v></c></row><row r="7"><c r="A7"><v>45000.5</v></c><c r="C7" t="e"><v>#REF!</v></c></row>`, 1},
		{`<sst><si><t>a_x000D_</t></si><si><r><t>b</t></r></si></sst>`, 2},
		{parts("")["xl/workbook.xml"], 3},
		{parts("")["xl/_rels/workbook.xml.rels"], 4},
	} {
		f.Add([]byte(s.raw), s.part)
	}
	f.Fuzz(func(t *testing.T, raw []byte, part uint8) {
		switch name := names[int(part)%len(names)]; name {
		case "":
		case "rows":
			raw = []byte(xlsxOf(t, string(raw)))
		default:
			all := parts(rows)
			all[name] = string(raw)
			raw = []byte(zipOf(t, all))
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

package portal

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/trace/epcis"
)

// The files of a bundle.
const (
	FileEPCIS    = "epcis.jsonld"
	FileCircular = "tt02-2024-10-truong.csv"
	FilePassport = "nd37-2026-ho-chieu-so.csv"
	FileStages   = "cong-doan.csv"
	FileReadMe   = "DOC-TRUOC.txt"
	FileSums     = "SHA256SUMS"
)

// WriteZip writes a Record as a bundle, made at a time: the same record at the same time is the same bytes.
func WriteZip(w io.Writer, r Record, names epcis.Names, t func(key string, args ...string) string, at time.Time) error {
	z := zip.NewWriter(w)
	var sums strings.Builder
	for _, f := range []struct {
		name string
		make func() ([]byte, error)
	}{
		{FileReadMe, func() ([]byte, error) { return []byte(readMe(r, t, at)), nil }},
		{FileCircular, func() ([]byte, error) { return r.fields(Circular02, t) }},
		{FilePassport, func() ([]byte, error) { return r.fields(Decree37, t) }},
		{FileStages, func() ([]byte, error) { return r.stages(t) }},
		{FileEPCIS, func() ([]byte, error) {
			var b bytes.Buffer
			err := epcis.Write(&b, names.Document(r.Story, at))
			return b.Bytes(), err
		}},
		{FileSums, func() ([]byte, error) { return []byte(sums.String()), nil }},
	} {
		raw, err := f.make()
		if err != nil {
			return fmt.Errorf("portal: %s: %w", f.name, err)
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(raw), f.name)
		out, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: at.UTC()})
		if err == nil {
			_, err = out.Write(raw)
		}
		if err != nil {
			return fmt.Errorf("portal: %s: %w", f.name, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("portal: %w", err)
	}
	return nil
}

func readMe(r Record, t func(string, ...string) string, at time.Time) string {
	lines := []string{t("portal.readme.title", r.Name, r.Lot.Code), t("portal.readme.made", at.In(farm.Time()).Format("02/01/2006 15:04"))}
	if r.Demo {
		lines = append(lines, t("portal.readme.demo"))
	}
	if n := r.Missing(); n > 0 {
		lines = append(lines, t("portal.readme.missing", fmt.Sprint(n)))
	}
	lines = append(lines, "", t("portal.readme.files"), "", t("portal.readme.law"), "", t("portal.readme.connector"))
	return strings.Join(lines, "\r\n") + "\r\n"
}

// fields writes the fields of a law as a table.
func (r Record) fields(law Law, t func(string, ...string) string) ([]byte, error) {
	rows := [][]string{{t("portal.col.n"), t("portal.col.field"), t("portal.col.value"), t("portal.col.state")}}
	for _, f := range r.Fields {
		if f.Law == law {
			rows = append(rows, []string{fmt.Sprint(f.N), t(f.Key()), strings.Join(f.Values, "; "), t("portal.state." + string(f.State))})
		}
	}
	return table(rows)
}

func (r Record) stages(t func(string, ...string) string) ([]byte, error) {
	rows := [][]string{{t("portal.col.stage"), t("portal.col.product"), t("portal.col.place"), t("portal.col.time"), t("portal.col.event")}}
	for _, s := range r.Stages {
		rows = append(rows, []string{t("portal.stage." + s.Kind), strings.Join(s.Products, " "), s.Place, s.At.In(farm.Time()).Format("02/01/2006 15:04"), s.Event})
	}
	return table(rows)
}

// table writes CSV as Excel in Viet Nam opens it: UTF-8 with its mark, semicolons, CR LF. A text that begins like a formula is marked, so that no
// program runs it.
func table(rows [][]string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\xef\xbb\xbf")
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = ';', true
	for _, row := range rows {
		for i, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				row[i] = "'" + cell
			}
		}
		if err := w.Write(row); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// StageKinds lists the kinds of stages that have words.
func StageKinds() []string {
	return []string{
		"stocking", "prepare", "plant", "treatment", "harvest", "process", "pack", "ship", "let_go", "sensor_period", "transform", "box", "unbox",
		"receive", "return", "destroy", "hold", "letgo", "release", "recall", "unrecall",
	}
}

// Words lists the other keys that the package asks for.
func Words() []string {
	var out []string
	for k := range strings.FieldsSeq("v.items v.stages v.country v.days v.best v.recalled col.n col.field col.value col.state col.stage col.product col.place col.time col.event" +
		" readme.title readme.made readme.demo readme.missing readme.files readme.law readme.connector") {
		out = append(out, "portal."+k)
	}
	return out
}

package web

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/trace/kin"
	"aovuon/server/trace/recall"
)

// recallFile sends the list to call, or the serials, as a file.
func (s *Server) recallFile(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	mime, body, err := s.recallTable(r, name)
	if err == nil && body == nil {
		s.answer(w, r, func(r *http.Request, words *words) (answer, error) { return s.missing(r, words, "missing.recall", "") })
		return
	}
	if err != nil {
		if r.Context().Err() == nil {
			s.o.Log.Error("recall list failed", slog.Any("err", err))
		}
		s.send(w, r, s.failed(r))
		return
	}
	w.Header().Set("Content-Type", mime)
	w.Header().Set("Content-Disposition", `attachment; filename="thu-hoi-`+r.PathValue("id")+"-"+name+`"`)
	w.Header().Set("Cache-Control", "no-store")
	s.write(w, body)
}

// recallTable makes a file of a recall; none where there is no such recall.
func (s *Server) recallTable(r *http.Request, name string) (mime string, body []byte, err error) {
	ctx := r.Context()
	rec, ok, err := s.o.Recall.Recall(ctx, r.PathValue("id"))
	if err != nil || !ok {
		return "", nil, err
	}
	n, err := s.namer(ctx, s.words(r))
	if err != nil {
		return "", nil, err
	}
	f, _, err := s.foundOf(r, rec)
	if err != nil {
		return "", nil, err
	}
	tables := []fileTable{n.callTable(f)}
	if name != "list.csv" {
		items, err := s.itemTable(r, n, f)
		if err != nil {
			return "", nil, err
		}
		tables = append(tables, n.lotTable(f), items)
	}
	const text = "text/csv; charset=utf-8"
	switch name {
	case "list.csv":
		body, err = writeCSV(tables[0])
		return text, body, err
	case "items.csv":
		body, err = writeCSV(tables[2])
		return text, body, err
	}
	body, err = writeBook(tables)
	return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body, err
}

// fileTable is a table of a file: its first row is the head.
type fileTable struct {
	name string
	rows [][]any
}

func (n namer) callTable(f recall.Found) fileTable {
	w := n.t.w
	t := fileTable{w.t("recall.calls"), [][]any{{
		w.t("recall.col.buyer"), w.t("recall.col.phone"), w.t("recall.col.contact"), w.t("recall.col.address"), w.t("recall.col.what"), w.t("recall.col.packs"), "kg", w.t("recall.col.when"), w.t("recall.col.document"), w.t("recall.col.back"),
	}}}
	for _, d := range f.Deliveries {
		rec, _ := n.t.reg.record(farm.Buyer, d.Buyer)
		v := rec.Values
		kg, packs := sums(d)
		t.rows = append(t.rows, []any{
			n.record(farm.Buyer, d.Buyer), v.Text("phone"), v.Text("contact"), v.Text("address"), n.got(d).What, number(packs > 0, float64(packs)), number(kg > 0, kg), w.date(d.At), d.Document, yes(w, d.Back),
		})
	}
	return t
}

func yes(w *words, is bool) string {
	if is {
		return w.t("recall.back.yes")
	}
	return ""
}

// number is a cell of a number; empty where nobody told.
func number(known bool, v float64) any {
	if !known {
		return ""
	}
	return v
}

func (n namer) lotTable(f recall.Found) fileTable {
	w := n.t.w
	t := fileTable{w.t("recall.lots"), [][]any{{w.t("recall.col.product"), w.t("recall.col.lot"), w.t("recall.col.state"), "kg", w.t("lot.harvested")}}}
	for _, l := range f.Lots {
		day := ""
		if !l.Harvested.IsZero() {
			day = w.date(l.Harvested)
		}
		t.rows = append(t.rows, []any{n.products[l.Link.GTIN], l.Link.Lot, w.t("lot.state." + string(l.State)), number(l.KG > 0, l.KG), day})
	}
	return t
}

func (s *Server) itemTable(r *http.Request, n namer, f recall.Found) (fileTable, error) {
	w := n.t.w
	t := fileTable{w.t("recall.items"), [][]any{{w.t("recall.col.serial"), w.t("recall.col.product"), w.t("recall.col.lot"), w.t("recall.col.state"), w.t("recall.col.box"), w.t("recall.col.buyer")}}}
	items, err := s.o.Recall.ItemsOf(r.Context(), f.Links())
	if err != nil {
		return t, err
	}
	with, err := s.holders(r, f)
	if err != nil {
		return t, err
	}
	for _, i := range items {
		buyer := with[i.Serial]
		if b := with[i.Box]; buyer == "" && i.Box != "" {
			buyer = b
		}
		if i.State != trace.ItemShipped && i.State != trace.ItemSold {
			buyer = ""
		}
		if buyer != "" {
			buyer = n.record(farm.Buyer, buyer)
		}
		t.rows = append(t.rows, []any{i.Serial, n.products[i.GTIN], i.Lot, w.t("lot.item." + string(i.State)), i.Box, buyer})
	}
	return t, nil
}

// holders are the buyers that have an item, or a box with what is in it, by serial or number.
func (s *Server) holders(r *http.Request, f recall.Found) (map[string]string, error) {
	out := map[string]string{}
	for _, d := range f.Deliveries {
		if d.Diary || d.Back {
			continue
		}
		if d.What.Kind == trace.RefBox {
			if err := s.boxHolder(r, d, d.What.ID, out); err != nil {
				return nil, err
			}
			continue
		}
		events, err := s.o.Goods.GoodsOf(r.Context(), d.What)
		if err != nil {
			return nil, err
		}
		for _, g := range events {
			if g.ID != d.Source {
				continue
			}
			for _, p := range g.In {
				for _, serial := range p.Items {
					out[serial] = d.Buyer
				}
			}
		}
	}
	return out, nil
}

// boxHolder says who has a box, and those that stand in it.
func (s *Server) boxHolder(r *http.Request, d kin.Delivery, sscc string, out map[string]string) error {
	b, ok, err := s.o.Recall.Box(r.Context(), sscc)
	if err != nil || !ok || out[sscc] == d.Buyer {
		return err
	}
	out[sscc] = d.Buyer
	for _, p := range b.Parts {
		if p.Ref.Kind == trace.RefBox {
			if err := s.boxHolder(r, d, p.Ref.ID, out); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeCSV writes a table as Excel reads it in Viet Nam: UTF-8 with a mark, semicolons, decimal commas. No text becomes a formula.
func writeCSV(t fileTable) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\xef\xbb\xbf")
	out := csv.NewWriter(&b)
	out.Comma, out.UseCRLF = ';', true
	for _, row := range t.rows {
		line := make([]string, len(row))
		for i, cell := range row {
			switch x := cell.(type) {
			case float64:
				line[i] = strings.Replace(strconv.FormatFloat(x, 'f', -1, 64), ".", ",", 1)
			case string:
				if line[i] = x; x != "" && strings.ContainsRune("=+-@\t\r", rune(x[0])) {
					line[i] = "'" + x
				}
			}
		}
		if err := out.Write(line); err != nil {
			return nil, fmt.Errorf("web: csv: %w", err)
		}
	}
	out.Flush()
	return b.Bytes(), out.Error()
}

// writeBook writes tables as a workbook, a sheet each: numbers as numbers, texts as texts.
func writeBook(tables []fileTable) (raw []byte, err error) {
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	for i, t := range tables {
		if i == 0 {
			err = book.SetSheetName("Sheet1", t.name)
		} else {
			_, err = book.NewSheet(t.name)
		}
		if err != nil {
			return nil, fmt.Errorf("web: workbook: %w", err)
		}
		for n, row := range t.rows {
			at, err := excelize.CoordinatesToCellName(1, n+1)
			if err == nil {
				err = book.SetSheetRow(t.name, at, &row)
			}
			if err != nil {
				return nil, fmt.Errorf("web: workbook: %w", err)
			}
		}
		if err := book.SetColWidth(t.name, "A", "J", 20); err != nil {
			return nil, fmt.Errorf("web: workbook: %w", err)
		}
	}
	b, err := book.WriteToBuffer()
	if err != nil {
		return nil, fmt.Errorf("web: workbook: %w", err)
	}
	return b.Bytes(), nil
}

package web

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/xuri/excelize/v2"

	"aovuon/server/plan"
)

// planSheet sends the plan of a year as a workbook: numbers as numbers, so that people reckon on with them.
func (s *Server) planSheet(w http.ResponseWriter, r *http.Request) {
	p, year, _, err := s.planAsked(r)
	if err == nil {
		err = s.sendPlan(w, s.words(r), p, year)
	}
	if err != nil && r.Context().Err() == nil {
		s.o.Log.Error("plan failed", slog.Any("err", err))
		s.send(w, r, s.failed(r))
	}
}

func (s *Server) sendPlan(out http.ResponseWriter, w *words, p plan.Plan, year int) (err error) {
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	head := []any{
		w.t("plan.name"), w.t("plan.place.many"), "ha", w.t("plan.harvested") + " (kg)", w.t("plan.sold") + " (kg)", w.t("plan.yield"), w.t("plan.value") + " (đ)", w.t("plan.perha") + " (đ/ha)",
		w.t("plan.unpriced") + " (kg)", w.t("plan.atfloor") + " (đ)",
	}
	sheets := []struct {
		name string
		rows [][]any
	}{
		{w.t("plan.crops"), nil}, {w.t("plan.seasons"), nil}, {w.t("record.household.many"), nil}, {w.t("record.contract.many"), nil},
	}
	sheets[0].rows = append(sheets[0].rows, head, sumCells(w.t("plan.all"), p.All))
	for _, c := range p.Branches {
		sheets[0].rows = append(sheets[0].rows, sumCells(w.t("option.branch."+string(c.Branch)), c.Sum))
	}
	for _, c := range p.Crops {
		sheets[0].rows = append(sheets[0].rows, sumCells(c.Name, c.Sum))
	}
	sheets[1].rows = append(sheets[1].rows, head)
	for _, c := range p.Seasons {
		sheets[1].rows = append(sheets[1].rows, sumCells(c.Name, c.Sum))
	}
	sheets[2].rows = append(sheets[2].rows, head)
	for _, h := range p.Households {
		sheets[2].rows = append(sheets[2].rows, sumCells(h.Code, h.Sum))
	}
	sheets[3].rows = append(sheets[3].rows, []any{
		w.t("field.number"), w.t("field.buyer"), w.t("field.product"), w.t("plan.promised") + " (kg)", w.t("plan.delivered") + " (kg)", w.t("field.floor_price") + " (đ/kg)", w.t("plan.below") + " (kg)", w.t("plan.unpriced") + " (kg)", w.t("field.to"),
	})
	for _, c := range p.Contracts {
		sheets[3].rows = append(sheets[3].rows, []any{c.Record.Name(), c.Buyer, c.Product, c.PromisedKG, c.DeliveredKG, c.Floor, c.BelowKG, c.UnpricedKG, w.date(c.Last)})
	}
	for i, sheet := range sheets {
		if i == 0 {
			if err := book.SetSheetName("Sheet1", sheet.name); err != nil {
				return err
			}
		} else if _, err := book.NewSheet(sheet.name); err != nil {
			return err
		}
		for n, row := range sheet.rows {
			at, err := excelize.CoordinatesToCellName(1, n+1)
			if err != nil {
				return err
			}
			if err := book.SetSheetRow(sheet.name, at, &row); err != nil { // texts are written as texts: none becomes a formula
				return err
			}
		}
		if err := book.SetColWidth(sheet.name, "A", "J", 18); err != nil {
			return err
		}
	}
	raw, err := book.WriteToBuffer()
	if err != nil {
		return err
	}
	out.Header().Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	out.Header().Set("Content-Disposition", `attachment; filename="`+planName(year)+`"`)
	out.Header().Set("Cache-Control", "no-store")
	s.write(out, raw.Bytes())
	return nil
}

// sumCells is a row of a workbook; what is not known is left empty.
func sumCells(name string, s plan.Sum) []any {
	row := []any{name, s.Places, s.Ha, s.HarvestedKG, s.SoldKG, nil, s.Value, nil, s.UnpricedKG, s.FloorValue}
	if y, ok := s.TonsPerHa(); ok {
		row[5] = y
	}
	if y, ok := s.ValuePerHa(); ok {
		row[7] = y
	}
	return row
}

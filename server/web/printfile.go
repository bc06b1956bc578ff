package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"aovuon/server/label"
	"aovuon/server/trace"
	"aovuon/server/trace/printjob"
)

// fileLives is how long the file of a print can be fetched. After that labels are printed again, with a reason.
const fileLives = 24 * time.Hour

// contents are the labels of a job, or of a draft.
func (s *Server) contents(ctx context.Context, d printjob.Detail) ([]label.Content, error) {
	f, err := s.wholeFarm(ctx)
	if err != nil {
		return nil, err
	}
	return JobLabels(s.base, f.Coop, d, dossiers(ctx, s.o.Lots))
}

// dossiers reads each lot once.
func dossiers(ctx context.Context, lots Lots) DossierOf {
	known := map[trace.Link]trace.Dossier{}
	return func(l trace.Link) (trace.Dossier, error) {
		d, ok := known[l]
		if ok {
			return d, nil
		}
		d, err := lots.Dossier(ctx, l)
		if err == nil {
			known[l] = d
		}
		return d, err
	}
}

// jobFile makes the file of a job.
func (s *Server) jobFile(ctx context.Context, id string, progress func(done, all int)) ([]byte, error) {
	d, ok, err := s.o.Printer.Job(ctx, id)
	if err == nil && !ok {
		err = trace.ErrUnknown
	}
	if err != nil {
		return nil, err
	}
	progress(0, len(d.Marks))
	labels, err := s.contents(ctx, d)
	if err != nil {
		return nil, err
	}
	return JobFile(ctx, d.Job, labels, progress)
}

// JobFile makes the file of a job whose labels are given: a PDF of sheets, or the bytes of a label printer.
func JobFile(ctx context.Context, j printjob.Job, labels []label.Content, progress func(done, all int)) ([]byte, error) {
	p, err := label.NewPress()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if !j.Paper.Roll() {
		sheets, err := j.Paper.Sheets(j.Made)
		if err != nil {
			return nil, err
		}
		sheets.Progress = progress
		if len(labels) > 0 {
			sheets.Title = labels[0].Name
		}
		err = p.WriteSheets(ctx, &b, sheets, labels)
		return b.Bytes(), err
	}
	thermal := label.Thermal{Language: j.Paper.Language, Gap: j.Paper.Gap, Copies: 1}
	series, err := p.Series(label.Size{W: j.Paper.W, H: j.Paper.H}, j.Paper.DPI, labels)
	if err != nil {
		return nil, err
	}
	for i, c := range labels {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		l, err := series.Lay(c)
		if err != nil {
			return nil, err
		}
		dots, err := p.Dots(l, j.Paper.DPI)
		if err != nil {
			return nil, err
		}
		data, err := thermal.Encode(dots)
		if err != nil {
			return nil, err
		}
		b.Write(data)
		progress(i+1, len(labels))
	}
	return b.Bytes(), nil
}

// FileName is what the file of a job is called.
func FileName(j printjob.Job) string {
	of := j.Lot.Lot
	if j.Run == "" {
		of = "thung"
	}
	end := "pdf"
	if j.Paper.Roll() {
		end = string(j.Paper.Language)
	}
	return "tem-" + fileName(of) + "-" + j.ID[max(0, len(j.ID)-6):] + "." + end
}

// fileName keeps of a lot's code what every file system takes.
func fileName(code string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' {
			return r
		}
		return '_'
	}, code)
}

// fetchable reports whether the file of a job may still be fetched: it is not too old, and its goods may be sold.
func (s *Server) fetchable(ctx context.Context, d printjob.Detail) (problem string, err error) {
	if !s.o.Now().Before(d.Made.Add(fileLives)) {
		return "old", nil
	}
	order := printjob.Order{Again: d.ID, Why: printjob.Jammed, Paper: d.Paper}
	for n := range d.Marks {
		order.Slots = append(order.Slots, n+1)
	}
	_, err = s.o.Printer.Draft(ctx, order)
	if _, ok := errors.AsType[*printjob.RefusedError](err); ok { // recalled, held or gone since
		return "barred", nil
	}
	return "", err
}

// jobDownload sends the file of a job, once it is made.
func (s *Server) jobDownload(w http.ResponseWriter, r *http.Request) {
	d, ok, err := s.o.Printer.Job(r.Context(), r.PathValue("id"))
	problem := ""
	var body []byte
	if err == nil && ok {
		problem, err = s.fetchable(r.Context(), d)
	}
	if err == nil && ok && problem == "" {
		body, err = s.room.File(r.Context(), d.ID)
	}
	if err != nil || !ok || problem != "" {
		s.answer(w, r, func(r *http.Request, w *words) (answer, error) {
			switch {
			case err != nil:
				return s.notPrinted(r, w, err)
			case !ok:
				return s.missing(r, w, "missing.page", "")
			}
			return s.jobPage(r, w)
		})
		return
	}
	mime := "application/pdf"
	if d.Paper.Roll() {
		mime = "application/octet-stream"
	}
	s.sendFile(w, mime, FileName(d.Job), body)
}

// jobProgress says how far the file of a job is, for the script of its page.
func (s *Server) jobProgress(w http.ResponseWriter, r *http.Request) {
	_, ok, err := s.o.Printer.Job(r.Context(), r.PathValue("id"))
	if err != nil || !ok {
		http.NotFound(w, r)
		return
	}
	p := s.room.Progress(r.PathValue("id"))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	raw, err := json.Marshal(struct {
		Done  int  `json:"done"`
		All   int  `json:"all"`
		Ready bool `json:"ready"`
	}{p.Done, p.All, p.Ready})
	if err != nil {
		s.o.Log.Error("progress", slog.Any("err", err))
		return
	}
	s.write(w, raw)
}

// rollPNG is the first label of a print on a roll, dot by dot.
func (s *Server) rollPNG(ctx context.Context, q url.Values) ([]byte, string, error) {
	q.Set("on", onRoll)
	a, err := readPrint(q)
	if err != nil {
		return nil, "", err
	}
	d, err := s.o.Printer.Draft(ctx, a.order)
	if err != nil {
		return nil, "", err
	}
	labels, err := s.contents(ctx, d)
	if err != nil {
		return nil, "", err
	}
	p, err := label.NewPress()
	if err != nil {
		return nil, "", err
	}
	series, err := p.Series(a.size, a.order.Paper.DPI, labels)
	if err != nil {
		return nil, "", err
	}
	l, err := series.Lay(labels[0])
	if err != nil {
		return nil, "", err
	}
	b, err := p.Dots(l, a.order.Paper.DPI)
	if err != nil {
		return nil, "", err
	}
	png, err := b.PNG(0)
	return png, "", err
}

func calibrationPage(sheets label.Sheets) ([]byte, error) {
	words, err := CalibrationWords(Vietnamese)
	if err != nil {
		return nil, err
	}
	p, err := label.NewPress()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = p.WriteCalibration(&b, sheets, words)
	return b.Bytes(), err
}

// boardsPDF writes the boards of the places that are asked for, or of all.
func (s *Server) boardsPDF(ctx context.Context, q url.Values) ([]byte, string, error) {
	f, err := s.farmNow(ctx)
	if err != nil {
		return nil, "", err
	}
	var boards []label.Board
	for _, p := range f.Places {
		if wanted := q["place"]; len(wanted) > 0 && !slices.Contains(wanted, p.Code) {
			continue
		}
		b, err := PlaceBoard(s.base, f.Coop, p)
		if err != nil {
			return nil, "", err
		}
		boards = append(boards, b)
	}
	if len(boards) == 0 {
		return nil, "", trace.ErrUnknown
	}
	p, err := label.NewPress()
	if err != nil {
		return nil, "", err
	}
	var b bytes.Buffer
	err = p.WriteBoards(ctx, &b, f.Coop.Name.VI, s.o.Now(), boards)
	return b.Bytes(), "bien-ao-vuon.pdf", err
}

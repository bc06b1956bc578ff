package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"aovuon/server/account"
	"aovuon/server/book"
	"aovuon/server/farm"
)

// bookRoutes are the record books.
func (s *Server) bookRoutes() []route {
	if s.o.Book == nil || s.o.Accounts == nil {
		return nil
	}
	read := needs(account.ReadBook)
	return []route{
		{"GET /book", read, s.page(s.booksPage)},
		{"GET /book/{cycle}", read, s.bookFile},
	}
}

type booksView struct {
	frame
	Places []bookPlace
}

type bookPlace struct {
	Title, Code string
	Cycles      []bookCycle
}

type bookCycle struct {
	ID, Name, Period string
	Open             bool
	Standards        []bookLink
}

type bookLink struct {
	Label, Href string
	Here        bool
}

// booksPage lists which books there are, place by place, the newest season first.
func (s *Server) booksPage(r *http.Request, w *words) (answer, error) {
	f, reg, err := s.landAndRegister(r.Context())
	if err != nil {
		return answer{}, err
	}
	v := booksView{}
	for _, p := range f.Places {
		if !s.mayReadPlace(r.Context(), p.Code) {
			continue
		}
		if cycles := s.bookCycles(w, reg, p); len(cycles) > 0 {
			v.Places = append(v.Places, bookPlace{p.Title.In(w.lang), p.Code, cycles})
		}
	}
	return s.draw(r, w, "books.html", "book", w.t("book.title"), func(fr frame) any { v.frame = fr; return v })
}

func (s *Server) bookCycles(w *words, reg register, p farm.Place) []bookCycle {
	list := slices.DeleteFunc(slices.Clone(reg[farm.Cycle]), func(c farm.Record) bool { return c.Values.Text("place") != p.Code })
	slices.SortStableFunc(list, func(a, b farm.Record) int { return -cmpText(a.Values.Text("begin"), b.Values.Text("begin")) })
	var out []bookCycle
	for _, c := range list {
		begin, end := c.Values.Day("begin", w.zone), c.Values.Day("end", w.zone)
		b := bookCycle{ID: c.ID, Name: c.Name(), Open: end.IsZero(), Period: w.date(begin) + " – "}
		if !end.IsZero() {
			b.Period += w.date(end)
		} else {
			b.Period += w.t("book.open")
		}
		b.Standards = bookLinks(w, c, "")
		out = append(out, b)
	}
	return out
}

func bookLinks(w *words, c farm.Record, here book.Standard) []bookLink {
	var out []bookLink
	for _, st := range book.Of(c) {
		out = append(out, bookLink{w.t("book.standard." + string(st)), bookHref(c.ID, "", st), st == here})
	}
	return out
}

func bookHref(cycle, ext string, st book.Standard) string {
	return "/book/" + cycle + ext + "?standard=" + string(st)
}

type bookView struct {
	frame
	Book      book.Book
	Standards []bookLink
	PDF, XLSX string
}

// bookFile is a book as a page, as PDF or as a workbook.
func (s *Server) bookFile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("cycle")
	cycle, ext := name, ""
	for _, x := range []string{".pdf", ".xlsx"} {
		if id, ok := strings.CutSuffix(name, x); ok {
			cycle, ext = id, x
		}
	}
	if ext == "" {
		s.page(func(r *http.Request, w *words) (answer, error) { return s.bookPage(r, w, cycle) })(w, r)
		return
	}
	b, err := s.bookAsked(r, s.words(r), cycle)
	var buf bytes.Buffer
	write, mime := book.WritePDF, "application/pdf"
	if ext == ".xlsx" {
		write, mime = book.WriteXLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	if err == nil {
		err = write(&buf, b)
	}
	if err != nil {
		s.answer(w, r, func(r *http.Request, w *words) (answer, error) { return s.noBook(r, w, err) })
		return
	}
	w.Header().Set("Content-Type", mime)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Disposition", `attachment; filename="`+bookName(b)+ext+`"`)
	s.write(w, buf.Bytes())
}

// bookName is the name of a book's file: the standard, the board, the season and the day.
func bookName(b book.Book) string {
	return string(b.Standard) + "-" + b.Code + "-" + b.ID + "-" + b.At.In(farm.Time()).Format(time.DateOnly)
}

// noBook answers for a book that there is not; other errors are ours.
func (s *Server) noBook(r *http.Request, w *words, err error) (answer, error) {
	if errors.Is(err, book.ErrNoCycle) || errors.Is(err, book.ErrStandard) {
		return s.missing(r, w, "missing.book", "")
	}
	return answer{}, err
}

func (s *Server) bookPage(r *http.Request, w *words, cycle string) (answer, error) {
	b, err := s.bookAsked(r, w, cycle)
	if err != nil {
		return s.noBook(r, w, err)
	}
	v := bookView{Book: b, PDF: bookHref(b.ID, ".pdf", b.Standard), XLSX: bookHref(b.ID, ".xlsx", b.Standard)}
	reg, _, err := s.registerNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	if c, ok := reg.record(farm.Cycle, cycle); ok {
		v.Standards = bookLinks(w, c, b.Standard)
	}
	return s.draw(r, w, "book.html", "book", b.Title+" · "+b.Cycle, func(fr frame) any { v.frame = fr; return v })
}

// bookAsked makes the book that a visitor asks for.
func (s *Server) bookAsked(r *http.Request, w *words, cycle string) (book.Book, error) {
	ctx := r.Context()
	src := BookSources{
		Gates: s.o.Gates, Standings: s.o.Standings, Farm: s.o.Farm, Book: s.o.Book, Calibrations: s.o.Calibrations, History: s.o.History, People: s.o.Accounts.People.Accounts,
		Head: func(context.Context) (*book.Head, error) {
			said, err := s.headSaid(r, w)
			return BookHead(said.Head, said.Seen, s.base), err
		},
	}
	return src.make(ctx, w, BookAsk{
		Cycle: cycle, Standard: book.Standard(r.URL.Query().Get("standard")), Lang: w.lang, Now: s.o.Now(), May: func(place string) bool { return s.mayReadPlace(ctx, place) },
		Names: func(id string) bool { return s.may(ctx, account.SeeAllPlaces) || visitor(ctx).Account.ID == id },
	})
}

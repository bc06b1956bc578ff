package web

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"aovuon/server/account"
	"aovuon/server/ledger"
	"aovuon/server/trace"
)

// Ledger is the log as strangers read it; see sqldb.DB for what each promises.
type Ledger interface {
	Checkpoint(ctx context.Context, size int64) (note []byte, err error)
	LedgerHashes(ctx context.Context) tlog.HashReader
	LedgerLeaves(ctx context.Context, from, to int64) ([][]byte, error)
	LedgerFind(ctx context.Context, subject string, kind ledger.Kind) ([]int64, error)
	LedgerBody(ctx context.Context, n int64) (salt, body []byte, err error)
}

// Evidence is what an auditor recomputes the ledger's seals from; see sqldb.DB for what each promises.
type Evidence interface {
	SealedBatches(ctx context.Context, from, to int64) ([][]byte, error)
	LedgerRows(ctx context.Context) ([]ledger.Row, error)
}

// ledgerRoutes are what C2SP tlog-tiles asks for, and proofs and public bodies beside it, and a page that says so.
func (s *Server) ledgerRoutes() []route {
	return []route{
		{"GET /ledger", stranger(), s.page(s.ledgerPage)},
		{"GET /ledger/{$}", stranger(), s.page(s.ledgerPage)},
		{"GET /ledger/checkpoint", stranger(), s.plain(s.checkpoint)},
		{"GET /ledger/tile/{path...}", stranger(), s.plain(s.tile)},
		{"GET /ledger/proof/{n}", stranger(), s.plain(s.proof)},
		{"GET /ledger/body/{n}", stranger(), s.plain(s.ledgerBody)},
		{"GET /ledger/rows", stranger(), s.plain(s.rows)},
		{"GET /ledger/batches/{n}", everybody(), s.plain(s.batches)}, // closed ones for those who may see them
		{"GET /ledger/bundle/{path...}", everybody(), s.bundle},
		{"GET /ledger/key", stranger(), s.plain(func(*http.Request) (file, error) {
			return file{body: []byte(s.o.LogKey.VKey + "\n"), mime: "text/plain; charset=utf-8"}, nil
		})},
	}
}

// file is what is served to programs.
type file struct {
	body    []byte
	mime    string
	forever bool   // it never changes
	private bool   // for this visitor alone: nothing on the way may keep it
	name    string // to save it under; empty: shown
}

// errClosed says that the co-op does not show this to everybody.
var errClosed = errors.New("not open to everybody")

// errNotYet says that the newest signed head does not cover what is asked for.
var errNotYet = errors.New("not signed yet")

// plain serves files to programs: what is not there is 404 in plain words, what is not signed yet 503 and a time to come again.
func (s *Server) plain(f func(*http.Request) (file, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*") // public, the same for everybody; auditors' pages may read it
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("Cache-Control", "no-store")
		a, err := f(r)
		if bad, ok := errors.AsType[*badRequestError](err); ok {
			http.Error(w, bad.why, http.StatusBadRequest)
			return
		}
		switch {
		case errors.Is(err, ledger.ErrNoLeaf):
			http.Error(w, "the ledger has no such thing", http.StatusNotFound)
			return
		case errors.Is(err, errClosed):
			http.Error(w, "not open to everybody: ask the co-op for it (ledger.batches in its server's configuration)", http.StatusForbidden)
			return
		case errors.Is(err, errNotYet):
			h.Set("Retry-After", "2")
			http.Error(w, "not signed yet: come again in two seconds", http.StatusServiceUnavailable)
			return
		case err != nil:
			s.o.Log.Error("ledger not served", slog.String("path", cut(r.URL.Path)), slog.Any("err", err))
			http.Error(w, "503", http.StatusServiceUnavailable)
			return
		}
		h.Set("Content-Type", a.mime)
		if a.private {
			h.Set("Cache-Control", "no-store")
			h.Del("Access-Control-Allow-Origin")
			h.Set("Cross-Origin-Resource-Policy", "same-origin")
		} else if a.forever {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		} else {
			h.Set("Cache-Control", "no-cache")
		}
		if a.name != "" {
			h.Set("Content-Disposition", `attachment; filename="`+a.name+`"`)
		}
		if !s.unchanged(w, r, a.body) {
			s.write(w, a.body)
		}
	}
}

func (s *Server) checkpoint(r *http.Request) (file, error) {
	raw, err := s.o.Ledger.Checkpoint(r.Context(), 0)
	if err == nil && raw == nil {
		err = errNotYet
	}
	return file{body: raw, mime: "text/plain; charset=utf-8"}, err
}

// head returns the newest signed head, and the checkpoint that says it.
func (s *Server) head(ctx context.Context) (ledger.Head, []byte, error) {
	raw, err := s.o.Ledger.Checkpoint(ctx, 0)
	if err != nil {
		return ledger.Head{}, nil, err
	}
	if raw == nil {
		return ledger.Head{}, nil, errNotYet
	}
	h, _, err := ledger.OpenHead(raw, s.o.LogKey.Verifier)
	return h, raw, err
}

// tile answers /ledger/tile/<L>/<N>[.p/<W>] and /ledger/tile/entries/<N>[.p/<W>]. Only what the newest signed head covers is served: a
// tile may never change afterwards.
func (s *Server) tile(r *http.Request) (file, error) {
	t, err := ledger.ParseTile(r.PathValue("path"))
	if err != nil {
		return file{}, err
	}
	h, _, err := s.head(r.Context())
	if err != nil {
		return file{}, err
	}
	level := max(t.L, 0)
	if level > 7 || t.N > h.Size>>(ledger.TileHeight*level) || t.N<<ledger.TileHeight+int64(t.W) > h.Size>>(ledger.TileHeight*level) {
		return file{}, ledger.ErrNoLeaf
	}
	raw, err := ledger.ReadTile(r.Context(), s.o.Ledger, t)
	return file{body: raw, mime: "application/octet-stream", forever: true}, err
}

// leafNumber reads the number of a leaf from the path.
func leafNumber(r *http.Request, suffix string) (int64, error) {
	text, ok := strings.CutSuffix(r.PathValue("n"), suffix)
	n, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
		return 0, ledger.ErrNoLeaf
	}
	return n, nil
}

// proof answers /ledger/proof/<n>.tlog-proof: that leaf n is in the newest signed tree.
func (s *Server) proof(r *http.Request) (file, error) {
	n, err := leafNumber(r, ".tlog-proof")
	if err != nil {
		return file{}, err
	}
	leaves, err := s.o.Ledger.LedgerLeaves(r.Context(), n, n+1)
	if err != nil {
		return file{}, err
	}
	if len(leaves) == 0 {
		return file{}, ledger.ErrNoLeaf
	}
	h, checkpoint, err := s.head(r.Context())
	if err != nil {
		return file{}, err
	}
	if n >= h.Size {
		return file{}, errNotYet
	}
	raw, err := ledger.Prove(n, leaves[0], checkpoint, h, s.o.Ledger.LedgerHashes(r.Context()))
	return file{body: raw, mime: "text/plain; charset=utf-8", name: fmt.Sprintf("%d.tlog-proof", n)}, err
}

// bodyFile is the answer of /ledger/body/<n>: what the leaf's hash is made of.
type bodyFile struct {
	Salt string `json:"salt"` // base64
	Body string `json:"body"` // base64, because it is bytes that are hashed as they are
}

// ledgerBody answers /ledger/body/<n> for leaves whose bodies are public and were not erased.
func (s *Server) ledgerBody(r *http.Request) (file, error) {
	n, err := leafNumber(r, "")
	if err != nil {
		return file{}, err
	}
	leaves, err := s.o.Ledger.LedgerLeaves(r.Context(), n, n+1)
	if err != nil {
		return file{}, err
	}
	if len(leaves) == 0 {
		return file{}, ledger.ErrNoLeaf
	}
	leaf, err := ledger.ParseLeaf(leaves[0])
	if err != nil {
		return file{}, err
	}
	salt, body, err := s.o.Ledger.LedgerBody(r.Context(), n)
	if err != nil {
		return file{}, err
	}
	if !leaf.Kind.Public() || salt == nil {
		return file{}, ledger.ErrNoLeaf
	}
	raw, err := json.Marshal(bodyFile{Salt: base64.StdEncoding.EncodeToString(salt), Body: base64.StdEncoding.EncodeToString(body)})
	return file{body: raw, mime: "application/json"}, err
}

// rows answers /ledger/rows: what the tables say now of all that is public in the ledger.
func (s *Server) rows(r *http.Request) (file, error) {
	rows, err := s.o.Evidence.LedgerRows(r.Context())
	if err != nil {
		return file{}, err
	}
	raw, err := json.Marshal(rows)
	return file{body: raw, mime: "application/json"}, err
}

// BatchTile is how many batches /ledger/batches/<N> holds: those at positions N·256+1 to N·256+256 of the log.
const BatchTile = 256

// batches answers /ledger/batches/<N>: for each batch four bytes of length, big-endian, and its sealed bytes.
func (s *Server) batches(r *http.Request) (file, error) {
	if !s.o.OpenBatches && !s.may(r.Context(), account.SeeBatches) {
		return file{}, errClosed
	}
	n, err := leafNumber(r, "")
	if err != nil || n > 1<<40 {
		return file{}, ledger.ErrNoLeaf
	}
	list, err := s.o.Evidence.SealedBatches(r.Context(), n*BatchTile+1, (n+1)*BatchTile+1)
	if err != nil {
		return file{}, err
	}
	if len(list) == 0 {
		return file{}, ledger.ErrNoLeaf
	}
	a := file{mime: "application/octet-stream", forever: len(list) == BatchTile, private: !s.o.OpenBatches}
	for _, sealed := range list {
		a.body = binary.BigEndian.AppendUint32(a.body, uint32(len(sealed)))
		a.body = append(a.body, sealed...)
	}
	return a, nil
}

// bundle answers /ledger/bundle<path of a lot>.zip. It reads much of the log, so one is made at a time, in a file, and sent when it is whole.
func (s *Server) bundle(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutSuffix("/"+r.PathValue("path"), ".zip")
	link, err := trace.ParseLink(path, "")
	switch {
	case !s.o.OpenBatches && !s.may(r.Context(), account.SeeBatches):
		http.Error(w, "not open to everybody: ask the co-op for it (ledger.batches in its server's configuration)", http.StatusForbidden)
		return
	case !ok || err != nil:
		http.NotFound(w, r)
		return
	case !s.bundling.TryLock():
		w.Header().Set("Retry-After", "5")
		http.Error(w, "another one is being made: come again in five seconds", http.StatusServiceUnavailable)
		return
	}
	f, err := s.sellableBundle(r.Context(), link)
	s.bundling.Unlock()
	switch {
	case errors.Is(err, trace.ErrUnknown):
		http.Error(w, "the lot is unknown, or not sealed yet", http.StatusNotFound)
		return
	case err != nil:
		s.o.Log.Error("bundle not made", slog.String("path", cut(path)), slog.Any("err", err))
		http.Error(w, "503", http.StatusServiceUnavailable)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", `attachment; filename="`+fileStem(link.Lot)+`.zip"`)
	if _, err := io.Copy(w, f); err != nil {
		s.o.Log.Debug("reader left", slog.Any("err", err))
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		s.o.Log.Warn("bundle stays behind", slog.Any("err", err))
	}
}

// sellableBundle makes the bundle of a lot that may be sold.
func (s *Server) sellableBundle(ctx context.Context, l trace.Link) (*os.File, error) {
	d, err := s.o.Lots.Dossier(ctx, l)
	if err == nil && !d.Lot.Sellable() {
		err = trace.ErrUnknown
	}
	if err != nil {
		return nil, err
	}
	return s.makeBundle(ctx, l)
}

// makeBundle writes a bundle into a file of its own, and leaves it open at its beginning.
func (s *Server) makeBundle(ctx context.Context, l trace.Link) (*os.File, error) {
	f, err := os.CreateTemp("", "aovuon-bundle-*.zip")
	if err != nil {
		return nil, err
	}
	err = s.o.Bundle(ctx, l.Path(), f)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return f, nil
}

// LogKey is the key that signs the ledger's heads.
type LogKey struct {
	VKey     string
	Verifier note.Verifier
	Policy   *ledger.Policy // whose witnesses are told of on pages; nil: none
	// SignStatement signs what a co-op says of a lot; nil: nothing is signed.
	SignStatement func(input []byte) ([]byte, error)
}

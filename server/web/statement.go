package web

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"aovuon/server/ledger"
	"aovuon/server/trace"
	"aovuon/server/trace/statement"
)

// statementPath is where the signed statement of a lot is.
func statementPath(l trace.Link) string { return "/jws" + l.Path() + ".jws" }

// statementOf answers /jws<path of a lot>.jws: what the co-op says of a released lot, signed, to be kept and checked with no server.
func (s *Server) statementOf(r *http.Request) (file, error) {
	path, ok := strings.CutSuffix("/"+strings.TrimPrefix(r.URL.EscapedPath(), "/jws/"), ".jws")
	link, err := trace.ParseLink(path, "")
	if !ok || err != nil || link.Serial != "" || s.o.LogKey.SignStatement == nil {
		return file{}, ledger.ErrNoLeaf
	}
	d, err := s.o.Lots.Dossier(r.Context(), link)
	if errors.Is(err, trace.ErrUnknown) || err == nil && !toldPublicly(d.Lot.State) {
		return file{}, ledger.ErrNoLeaf
	}
	if err != nil {
		return file{}, err
	}
	f, err := s.wholeFarm(r.Context())
	if err != nil {
		return file{}, err
	}
	// Within an hour the same lot is the same bytes: signing costs little, and readers need not fetch them twice.
	said, err := statement.Of(d, f.Coop.Name, s.base, s.o.LogKey.VKey, s.o.Now().Truncate(time.Hour))
	if err != nil {
		return file{}, err
	}
	jws, err := statement.Sign(said, s.o.LogKey.SignStatement)
	return file{body: jws, mime: mimeJOSE, name: fileStem(d.Lot.Code) + ".jws"}, err
}

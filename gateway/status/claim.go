package status

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"aovuon/gateway/lanpage"
	"aovuon/gateway/qrphoto"
)

// The errors of ClaimOptions.Enrol that the page has words for.
var (
	ErrBadClaim    = errors.New("no claim")               // what was typed or scanned
	ErrNoServer    = errors.New("server not named")       // a code alone, and no address with it
	ErrNoNetwork   = errors.New("no network")             // of this machine
	ErrUnreachable = errors.New("server not reached")     // no name, nobody there
	ErrBusy        = errors.New("server busy")            // or starting
	ErrElsewhere   = errors.New("no server of ours")      // somebody there, who takes no claims
	ErrRefused     = errors.New("refused by the server")  // used, over, of another gateway
	ErrImpostor    = errors.New("not the claim's server") // somebody is in between
)

// What is wrong with a form.
var (
	errTorn  = errors.New("status: form not read")
	errLarge = errors.New("status: photo too large")
	errPIN   = errors.New("status: wrong PIN")
	errWait  = errors.New("status: too many wrong PINs")
)

// mostField bounds a field that is typed.
const mostField = 1000

// ClaimOptions are what the page of a gateway that is not enrolled is made of. All but Server must be set.
type ClaimOptions struct {
	Gateway string // its id
	Version string
	PIN     string
	Hosts   []string // names of this machine, beside its addresses
	Now     func() time.Time
	Log     *slog.Logger
	// Enrol shows a claim to the server: the text of its QR, or its code and the server's address. It returns the address.
	Enrol func(ctx context.Context, claim, server string) (string, error)
}

// Claim is the page of a gateway that is not enrolled: the claim goes in, as text or as a photo of its QR code.
type Claim struct {
	o     ClaimOptions
	s     *Server
	photo sync.Mutex // one is unpacked at a time: it takes a good part of a small machine's memory

	mu     sync.Mutex
	server string // whom it was enrolled with
}

// NewClaim returns the page.
func NewClaim(o ClaimOptions) (*Claim, error) {
	s, err := draw(Options{PIN: o.PIN, Now: o.Now}, "claim", "message")
	if err != nil {
		return nil, err
	}
	c := &Claim{o: o, s: s}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.form)
	mux.HandleFunc("POST /{$}", c.take)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.show(w, r, http.StatusNotFound, "message", page{Title: "message.missing", Bare: true, Data: "missing"})
	})
	s.handler, err = lanpage.Guard{Sheet: lanpage.Slim(sheet), Hosts: o.Hosts, Who: "the gateway", MostForm: qrphoto.MostBytes + 256<<10}.Handler(mux)
	return c, err
}

// Serve answers on l until ctx is done.
func (c *Claim) Serve(ctx context.Context, l net.Listener) error {
	return lanpage.Serve(ctx, l, c, 2*time.Minute)
}

// ServeHTTP implements http.Handler.
func (c *Claim) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.s.ServeHTTP(w, r) }

type claimPage struct {
	Gateway, Version string
	Claim, Server    string // as they were typed
	Problem, Detail  string // key; the program's own words, English
	Done             string // the server it is enrolled with
}

// form shows what is to be filled in; a link from the office may fill it in already.
func (c *Claim) form(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	c.show(w, r, http.StatusOK, claimPage{Claim: q.Get("claim"), Server: q.Get("server")})
}

func (c *Claim) show(w http.ResponseWriter, r *http.Request, status int, p claimPage) {
	c.mu.Lock()
	p.Done = c.server
	c.mu.Unlock()
	p.Gateway, p.Version = c.o.Gateway, c.o.Version
	c.s.show(w, r, status, "claim", page{Title: "claim.title", Bare: true, Data: p})
}

// take enrols the gateway. What was typed is kept for another try.
func (c *Claim) take(w http.ResponseWriter, r *http.Request) {
	p, status, err := c.read(w, r)
	if err != nil {
		p.Problem = problemOf(err)
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			p.Problem, status = "large", http.StatusRequestEntityTooLarge
		}
		if p.Problem == "other" || errors.Is(err, qrphoto.ErrNoPhoto) {
			p.Detail = err.Error()
		}
		c.show(w, r, status, p)
		return
	}
	c.enrol(w, r, p)
}

// read takes a form in, part by part. The PIN stands before the photo: what a stranger sends is neither kept in memory nor unpacked.
func (c *Claim) read(w http.ResponseWriter, r *http.Request) (p claimPage, status int, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return p, http.StatusBadRequest, fmt.Errorf("%w: %w", errTorn, err)
	}
	var denied, bad error
	known := c.s.guard.signed(r)
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return p, http.StatusBadRequest, fmt.Errorf("%w: %w", errTorn, err)
		}
		switch name := part.FormName(); {
		case name == "photo" && known:
			bad = c.takePhoto(part, &p)
		case name == "photo":
			_, err = io.Copy(io.Discard, part)
		default:
			var text []byte
			text, err = io.ReadAll(io.LimitReader(part, mostField))
			value := strings.TrimSpace(string(text))
			switch {
			case name == "pin" && !known && denied == nil:
				denied = c.signIn(w, r, value)
				known = denied == nil
			case name == "claim" && p.Claim == "": // a photo counts before what was typed
				p.Claim = value
			case name == "server":
				p.Server = value
			}
		}
		if err != nil {
			return p, http.StatusBadRequest, fmt.Errorf("%w: %w", errTorn, err)
		}
	}
	switch {
	case errors.Is(denied, errWait):
		return p, http.StatusTooManyRequests, denied
	case !known:
		return p, http.StatusForbidden, errPIN
	}
	return p, http.StatusUnprocessableEntity, bad
}

// signIn tries a PIN, and has the browser remember that it was right.
func (c *Claim) signIn(w http.ResponseWriter, r *http.Request, pin string) error {
	session, wait := c.s.guard.tryPIN(pin)
	switch {
	case wait:
		return errWait
	case session == "":
		return errPIN
	}
	cookie := sessionCookie(session)
	http.SetCookie(w, cookie)
	r.AddCookie(cookie) // the page that answers knows it, too
	return nil
}

// takePhoto reads the claim of a photo. Browsers send an empty one where none was chosen.
func (c *Claim) takePhoto(part io.Reader, p *claimPage) error {
	c.photo.Lock()
	defer c.photo.Unlock()
	raw, err := io.ReadAll(io.LimitReader(part, qrphoto.MostBytes+1))
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errTorn, err)
	case len(raw) > qrphoto.MostBytes:
		return errLarge
	case len(raw) == 0:
		return nil
	}
	text, err := qrphoto.Read(raw)
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	p.Claim = text
	return nil
}

func (c *Claim) enrol(w http.ResponseWriter, r *http.Request, p claimPage) {
	server, err := c.o.Enrol(r.Context(), p.Claim, p.Server)
	if err != nil {
		c.o.Log.Warn("not enrolled", slog.Any("err", err))
		p.Problem, p.Detail = problemOf(err), err.Error()
		c.show(w, r, http.StatusUnprocessableEntity, p)
		return
	}
	c.mu.Lock()
	c.server = server
	c.mu.Unlock()
	c.show(w, r, http.StatusOK, claimPage{})
}

// problemOf is the key of what to say about an error.
func problemOf(err error) string {
	for _, known := range []struct {
		err error
		key string
	}{
		{errPIN, "pin"},
		{errWait, "wait"},
		{errLarge, "large"},
		{errTorn, "form"},
		{ErrBadClaim, "claim"},
		{ErrNoServer, "server"},
		{ErrNoNetwork, "network"},
		{ErrUnreachable, "unreachable"},
		{ErrBusy, "busy"},
		{ErrElsewhere, "elsewhere"},
		{ErrRefused, "refused"},
		{ErrImpostor, "impostor"},
		{qrphoto.ErrNoPhoto, "photo"},
		{qrphoto.ErrNoCode, "code"},
	} {
		if errors.Is(err, known.err) {
			return known.key
		}
	}
	return "other"
}

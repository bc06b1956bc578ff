package status

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// tries is how many wrong PINs are looked at within trySpan; trying all PINs of 8 digits then takes 380 years.
	tries   = 5
	trySpan = 10 * time.Minute
	// signedIn is how long a person may work after the PIN.
	signedIn    = 2 * time.Hour
	mostSigned  = 8
	cookieName  = "aovuon-status"
	pinDigits   = 8
	sessionSize = 32
)

// NewPIN makes a random PIN.
func NewPIN() string {
	for {
		var b strings.Builder
		var raw [64]byte
		rand.Read(raw[:])       // never fails: it ends the program first
		for _, x := range raw { // beyond 250 some digits would come more often than others
			if x < 250 && b.Len() < pinDigits {
				b.WriteByte('0' + x%10)
			}
		}
		if b.Len() == pinDigits {
			return b.String()
		}
	}
}

// guard knows who gave the PIN.
type guard struct {
	pin string
	now func() time.Time

	mu       sync.Mutex
	wrong    []time.Time
	sessions map[string]time.Time // until when
}

// tryPIN gives a session for the PIN. wait is true when too many wrong ones came: then it is not looked at.
func (g *guard) tryPIN(pin string) (session string, wait bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	for len(g.wrong) > 0 && now.Sub(g.wrong[0]) > trySpan {
		g.wrong = g.wrong[1:]
	}
	if len(g.wrong) >= tries {
		return "", true
	}
	if subtle.ConstantTimeCompare([]byte(strings.TrimSpace(pin)), []byte(g.pin)) != 1 || g.pin == "" {
		g.wrong = append(g.wrong, now)
		return "", false
	}
	for s, until := range g.sessions {
		if now.After(until) || len(g.sessions) >= mostSigned {
			delete(g.sessions, s)
		}
	}
	session = rand.Text()
	g.sessions[session] = now.Add(signedIn)
	return session, false
}

// signed reports whether a request comes from somebody who gave the PIN.
func (g *guard) signed(r *http.Request) bool {
	c, err := r.Cookie(cookieName)
	if err != nil || len(c.Value) > sessionSize {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	until, ok := g.sessions[c.Value]
	return ok && g.now().Before(until)
}

// leave ends the session of a request.
func (g *guard) leave(r *http.Request) {
	if c, err := r.Cookie(cookieName); err == nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.sessions, c.Value)
	}
}

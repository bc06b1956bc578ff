package broker

import (
	"crypto/subtle"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"aovuon/gateway/wire"
)

// insideUser is the name of ingest's own connection: no gateway id, so that no gateway can bear it.
const insideUser = "inside/ingest"

// gate lets clients in.
type gate struct {
	secrets     Secrets
	inside      string        // password of ingest's own connection, random at each start
	certificate bool          // nobody gets in without one
	patience    time.Duration // with secrets
	closing     chan struct{} // closed when the broker ends
	broker      atomic.Pointer[server.Server]
	open        atomic.Bool
}

// Check implements server.Authentication. It runs on the client's read loop and holds up nobody else.
func (g *gate) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	if o.Username == insideUser {
		return g.checkInside(c, o.Password)
	}
	want, known := g.secret(o.Username)
	got := sha(o.Password)
	if subtle.ConstantTimeCompare(want[:], got[:]) != 1 || !known || !wire.ValidGatewayID(o.Username) {
		return false
	}
	if !g.certified(c, o.Username) || !g.open.Load() { // not open: nobody would hear it yet
		return false
	}
	b := g.broker.Load()
	if b == nil {
		return false
	}
	// The client id must be the identity, or a stranger with credentials of his own could take over the session.
	z, err := b.Connz(&server.ConnzOptions{CID: c.GetID()})
	if err != nil || len(z.Conns) != 1 || z.Conns[0].MQTTClient != o.Username {
		return false
	}
	c.RegisterUser(gatewayUser(o.Username))
	return true
}

// secret asks for a password and waits no longer than a client may take to name himself: the broker could not be shut down while a
// question is open.
func (g *gate) secret(gateway string) (sha [32]byte, known bool) {
	type answer struct {
		sha   [32]byte
		known bool
	}
	said := make(chan answer, 1)
	go func() {
		var a answer
		a.sha, a.known = g.secrets.SecretSHA(gateway)
		said <- a
	}()
	late := time.NewTimer(g.patience)
	defer late.Stop()
	select {
	case a := <-said:
		return a.sha, a.known
	case <-late.C:
	case <-g.closing:
	}
	return sha, false
}

// certified reports whether the certificate a client showed is of this gateway. The handshake has checked who issued it.
func (g *gate) certified(c server.ClientAuthentication, gateway string) bool {
	st := c.GetTLSConnectionState()
	if st == nil || len(st.VerifiedChains) == 0 {
		return !g.certificate
	}
	return st.PeerCertificates[0].Subject.CommonName == gateway
}

// gatewayUser is what a gateway may do. Both lists must be set: without one, a client may do everything.
func gatewayUser(id string) *server.User {
	topics := func(leaves ...string) *server.SubjectPermission {
		p := &server.SubjectPermission{}
		for _, leaf := range leaves {
			p.Allow = append(p.Allow, subjectOf(wire.Topic(id, leaf)))
		}
		return p
	}
	return &server.User{Username: id, Permissions: &server.Permissions{
		Publish: topics(wire.LeafBatch, wire.LeafStatus), Subscribe: topics(wire.LeafReceipt, wire.LeafDesired),
	}}
}

func (g *gate) checkInside(c server.ClientAuthentication, password string) bool {
	// Over a socket nobody gets in by this name, whatever he knows.
	if a := c.RemoteAddress(); a == nil || a.Network() != "pipe" {
		return false
	}
	if subtle.ConstantTimeCompare([]byte(password), []byte(g.inside)) != 1 {
		return false
	}
	own := subjectOf(wire.Topic("+", "+"))
	c.RegisterUser(&server.User{Username: insideUser, Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: []string{own}},
		Subscribe: &server.SubjectPermission{Allow: []string{own}},
	}})
	return true
}

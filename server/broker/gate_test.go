package broker

import (
	"crypto/sha256"
	"crypto/tls"
	"net"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// asker is a client at the gate.
type asker struct {
	opts   server.ClientOpts
	remote net.Addr
	user   *server.User
}

func (a *asker) GetOpts() *server.ClientOpts                 { return &a.opts }
func (a *asker) GetTLSConnectionState() *tls.ConnectionState { return nil }
func (a *asker) RegisterUser(u *server.User)                 { a.user = u }
func (a *asker) RemoteAddress() net.Addr                     { return a.remote }
func (a *asker) GetNonce() []byte                            { return nil }
func (a *asker) Kind() int                                   { return 0 }
func (a *asker) GetID() uint64                               { return 1 }

type known struct{}

func (known) SecretSHA(string) ([32]byte, bool) { return sha256.Sum256([]byte("secret")), true }

// Without one of its lists a user may do everything, deleting the broker's streams included.
func TestGate_NoUserIsWithoutPermissions(t *testing.T) {
	g := &gate{secrets: known{}, inside: "token", closing: make(chan struct{})}
	inside := &asker{opts: server.ClientOpts{Username: insideUser, Password: "token"}, remote: pipe{}}
	if !g.Check(inside) {
		t.Fatal("ingest is not let in")
	}
	for name, u := range map[string]*server.User{"ingest": inside.user, "gateway": gatewayUser("gw-one")} {
		p := u.Permissions
		if p == nil || p.Publish == nil || p.Subscribe == nil || len(p.Publish.Allow) == 0 || len(p.Subscribe.Allow) == 0 {
			t.Errorf("%s: %+v: may do everything", name, p)
		}
	}
	socket := &asker{opts: inside.opts, remote: &net.TCPAddr{}}
	if g.Check(socket) || socket.user != nil {
		t.Error("ingest's name is taken over a socket")
	}
}

type pipe struct{}

func (pipe) Network() string { return "pipe" }
func (pipe) String() string  { return "pipe" }

package parttest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// MosquittoOptions are what a Mosquitto may differ in. The zero value is an open broker without TLS.
type MosquittoOptions struct {
	Users       map[string]string // user name → password; empty: anyone may connect
	Passwords   string            // content of the password file, instead of Users
	ACL         string            // content of the ACL file; empty: everyone may do everything
	TLS         bool              // the listener speaks TLS alone, with a certificate for 127.0.0.1 and localhost
	Persistence bool              // sessions and queued messages survive Stop, and Kill after each change is saved
	MaxQueued   int               // max_queued_messages, above the 20 in flight; 0: Mosquitto's 1000
	MaxInflight int               // max_inflight_messages; 0: Mosquitto's 20
	Config      []string          // further lines of mosquitto.conf
}

// MosquittoServer is a Mosquitto of the test's own.
type MosquittoServer struct {
	URL    string // tcp://127.0.0.1:port or ssl://127.0.0.1:port
	CAFile string // PEM file of the authority that signed the listener's certificate; empty without TLS

	addr string
	dir  string
	p    *process
}

// Mosquitto starts a Mosquitto broker.
func Mosquitto(t testing.TB, o MosquittoOptions) *MosquittoServer {
	t.Helper()
	path := Tool(t, "mosquitto")
	for try := 1; ; try++ {
		s, err := startMosquitto(t, path, o)
		if err == nil {
			return s
		}
		if try == 5 || !errors.Is(err, errEnded) {
			t.Fatalf("parttest: %v", err)
		}
	}
}

func startMosquitto(t testing.TB, path string, o MosquittoOptions) (*MosquittoServer, error) {
	t.Helper()
	dir, port := tempDir(t, "aovuon-mosquitto-"), reservePort(t)
	s := &MosquittoServer{dir: dir, addr: loopback(port), URL: "tcp://" + loopback(port)}
	lines := []string{
		"per_listener_settings false", "log_dest stderr", "log_timestamp false", "allow_zero_length_clientid true",
		fmt.Sprintf("listener %d 127.0.0.1", port),
	}
	if os.Getuid() == 0 {
		lines = append(lines, "user root") // else it drops to a user who may not read our folder
	}
	if o.TLS {
		if err := WriteCertificates(dir); err != nil {
			return nil, fmt.Errorf("mosquitto: certificates: %w", err)
		}
		s.CAFile, s.URL = filepath.Join(dir, "ca.pem"), "ssl://"+s.addr
		lines = append(lines, "certfile "+filepath.Join(dir, "cert.pem"), "keyfile "+filepath.Join(dir, "key.pem"))
	}
	access, err := mosquittoAccess(t, dir, o)
	if err != nil {
		return nil, fmt.Errorf("mosquitto: %w", err)
	}
	lines = append(lines, access...)
	if o.Persistence {
		lines = append(lines, "persistence true", "persistence_location "+dir+"/", "autosave_on_changes true", "autosave_interval 1")
	}
	if o.MaxQueued > 0 {
		lines = append(lines, fmt.Sprintf("max_queued_messages %d", o.MaxQueued))
	}
	if o.MaxInflight > 0 {
		lines = append(lines, fmt.Sprintf("max_inflight_messages %d", o.MaxInflight))
	}
	conf := filepath.Join(dir, "mosquitto.conf")
	text := strings.Join(append(lines, o.Config...), "\n") + "\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return nil, err
	}
	s.p = newProcess(t, "mosquitto", path, "-c", conf)
	s.p.ready = s.handshake
	return s, s.p.start()
}

// mosquittoAccess writes the password and ACL files and returns the lines that name them.
func mosquittoAccess(t testing.TB, dir string, o MosquittoOptions) (lines []string, err error) {
	t.Helper()
	file := filepath.Join(dir, "passwords")
	switch {
	case o.Passwords != "":
		if err := os.WriteFile(file, []byte(o.Passwords), 0o600); err != nil {
			return nil, err
		}
		lines = append(lines, "allow_anonymous false", "password_file "+file)
	case len(o.Users) == 0:
		lines = append(lines, "allow_anonymous true")
	default:
		tool := Tool(t, "mosquitto_passwd")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			return nil, err
		}
		for user, password := range o.Users {
			out, err := exec.CommandContext(context.Background(), tool, "-b", file, user, password).CombinedOutput()
			if err != nil {
				return nil, fmt.Errorf("mosquitto_passwd: %w: %s", err, out)
			}
		}
		lines = append(lines, "allow_anonymous false", "password_file "+file)
	}
	if o.ACL != "" {
		file := filepath.Join(dir, "acl")
		if err := os.WriteFile(file, []byte(o.ACL), 0o600); err != nil {
			return nil, err
		}
		lines = append(lines, "acl_file "+file)
	}
	return lines, nil
}

// SetPasswords replaces the password file and has the running broker read it (SIGHUP).
func (s *MosquittoServer) SetPasswords(text string) {
	s.p.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, "passwords"), []byte(text), 0o600); err != nil {
		s.p.t.Fatalf("parttest: %v", err)
	}
	if err := s.p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		s.p.t.Fatalf("parttest: reload mosquitto: %v", err)
	}
}

// Address returns host:port of the listener.
func (s *MosquittoServer) Address() string { return s.addr }

// Kill ends the broker with SIGKILL. Its port stays.
func (s *MosquittoServer) Kill() { s.p.end(syscall.SIGKILL) }

// Stop asks the broker to end and waits. Its port stays.
func (s *MosquittoServer) Stop() { s.p.end(syscall.SIGTERM) }

// Start starts a stopped or killed broker again, on the same port and, with Persistence, the same data.
func (s *MosquittoServer) Start() {
	s.p.t.Helper()
	if err := s.p.start(); err != nil {
		s.p.t.Fatalf("parttest: %v", err)
	}
}

// handshake sends an MQTT 3.1.1 CONNECT without credentials; any CONNACK, also a refusal, says the broker serves.
func (s *MosquittoServer) handshake(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	// MQTT 3.1.1 §3.1: CONNECT, protocol "MQTT" level 4, clean session, keep-alive 10 s, empty client id.
	if _, err := conn.Write([]byte{0x10, 12, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 10, 0, 0}); err != nil {
		return err
	}
	ack := make([]byte, 4) // §3.2: CONNACK
	if _, err := io.ReadFull(conn, ack); err != nil {
		return err
	}
	if ack[0] != 0x20 {
		return fmt.Errorf("no CONNACK: % x", ack)
	}
	return nil
}

func (s *MosquittoServer) dial(ctx context.Context) (net.Conn, error) {
	if s.CAFile == "" {
		return (&net.Dialer{}).DialContext(ctx, "tcp", s.addr)
	}
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	d := tls.Dialer{Config: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	return d.DialContext(ctx, "tcp", s.addr)
}

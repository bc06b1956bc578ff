package app

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"aovuon/gateway/uplink"
	"aovuon/gateway/wire"
)

// enrolFlags are what gateway enrol is told.
type enrolFlags struct {
	Claim  string `arg:"" help:"The code that server gateway claim printed, or the text of its QR (aovuon-claim:...)."`
	Server string `help:"Address of the server's pages, https://...; the QR's text holds it."`
}

// The files that come with an enrolment, in the data folder.
const (
	serverKeyName   = "server.vkey"
	serverCAName    = "server-ca.pem"
	certificateName = "mqtt.crt"
	certKeyName     = "mqtt.key"
	addressName     = "server.url" // of the server's pages: where a new key is sent to
)

// enrol makes what a gateway has of its own, shows it to the server with a claim, and takes over what the server answers. What names the
// server is written last: until then nothing has changed that matters, and doing it again is safe.
func enrol(ctx context.Context, path string, f enrolFlags, stdout io.Writer) error {
	claim, err := f.claim()
	if err != nil {
		return err
	}
	cfg, e, err := enrolWith(ctx, path, claim)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "gateway %s enrolled; it sends to %s, and believes receipts of %s\n", cfg.Gateway, e.Broker, e.ServerVKey)
	return err
}

// claim is what was typed or scanned.
func (f enrolFlags) claim() (wire.Claim, error) {
	claim, err := wire.ParseClaim(f.Claim)
	if err != nil {
		return claim, fmt.Errorf("app: %w", err)
	}
	if f.Server != "" {
		claim.Server = f.Server
	}
	if claim.Server == "" {
		return claim, errNoServer
	}
	if err := wire.CheckServerURL(claim.Server); err != nil {
		return claim, fmt.Errorf("app: %w", err)
	}
	return claim, nil
}

// Why a claim did not do.
var (
	errNoServer  = errors.New("app: which server? add --server https://... (server gateway claim prints the whole line)")
	errElsewhere = errors.New("no answer of a server that takes claims")
	errBusy      = errors.New("it is busy, or starting")
	errAnswered  = errors.New("the server says")
	errImpostor  = errors.New("somebody is between this gateway and the server, or the address is that of another one")
)

func enrolWith(ctx context.Context, path string, claim wire.Claim) (*Config, wire.Enrolled, error) {
	var e wire.Enrolled
	raw, err := readFile(path)
	if err != nil {
		return nil, e, err
	}
	cfg, err := parse(path, withServer(raw, "server: { url: \"tcp://127.0.0.1:1\", key_file: x }\n"))
	if err != nil {
		return nil, e, err
	}
	if err := initialise(cfg); err != nil {
		return nil, e, err
	}
	card, err := cardOf(cfg)
	if err != nil {
		return nil, e, err
	}
	csr, err := certificateRequest(filepath.Join(cfg.DataDir, certKeyName), cfg.Gateway)
	if err != nil {
		return nil, e, err
	}
	request := wire.Enrol{ClaimID: claim.Code.ID(), Card: card, CSR: csr}.Seal(claim.Code)
	answer, err := post(ctx, claim.Server, "/enrol", request)
	if err != nil {
		return nil, e, err
	}
	e, err = wire.OpenEnrolled(answer, claim.Code, request)
	if err != nil {
		return nil, e, fmt.Errorf("app: %w: %w", errImpostor, err)
	}
	if claim.Pin != "" && claim.Pin != wire.PinOf(e.ServerVKey, e.CAPEM) {
		return nil, e, fmt.Errorf("app: %w: %w: the server's keys are not those of the QR", errImpostor, wire.ErrClaim)
	}
	return cfg, e, keepEnrolled(cfg, raw, claim.Server, e)
}

// keepEnrolled writes what the server answered.
func keepEnrolled(cfg *Config, raw []byte, server string, e wire.Enrolled) error {
	overTLS, err := uplink.CheckURL(e.Broker)
	if err != nil {
		return fmt.Errorf("app: the server says its broker is at %q: %w", e.Broker, err)
	}
	at := func(name string) string { return filepath.Join(cfg.DataDir, name) }
	files := []struct {
		name string
		data []byte
	}{{addressName, []byte(server + "\n")}, {serverKeyName, []byte(e.ServerVKey + "\n")}, {serverCAName, []byte(e.CAPEM)}, {certificateName, pemOf(e.Certificate)}}
	lines := []string{"server: # written by gateway enrol", "url: " + strconv.Quote(e.Broker), "key_file: " + cfg.quoted(at(serverKeyName))}
	if overTLS && e.CAPEM != "" {
		lines = append(lines, "ca_file: "+cfg.quoted(at(serverCAName)))
	}
	if overTLS && e.Certificate != nil {
		lines = append(lines, "cert_file: "+cfg.quoted(at(certificateName)), "cert_key_file: "+cfg.quoted(at(certKeyName)))
	}
	for _, f := range files {
		if len(f.data) == 0 {
			if err := os.Remove(at(f.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("app: %w", err)
			}
			continue
		}
		if err := wire.WriteFile(at(f.name), f.data, 0o644); err != nil {
			return fmt.Errorf("app: %w", err)
		}
	}
	block := strings.Join(lines, "\n  ") + "\n"
	fresh, err := parse(cfg.path, withServer(raw, block))
	if err == nil {
		_, err = fresh.openSecrets()
	}
	if err != nil {
		return fmt.Errorf("app: the configuration would not do any more, and was left as it is: %w", err)
	}
	if err := cfg.giveToGateway(); err != nil {
		return err
	}
	return cfg.writeServer(raw, block)
}

// quoted writes a path as the configuration has it: relative to its folder.
func (c *Config) quoted(path string) string {
	if rel, err := filepath.Rel(filepath.Dir(c.path), path); err == nil && !strings.HasPrefix(rel, "..") {
		path = rel
	}
	return strconv.Quote(path)
}

// certificateRequest returns a request for an MQTT certificate, with the key of a file that is made if it is not there.
func certificateRequest(path, gateway string) ([]byte, error) {
	key, err := certificateKey(path)
	if err != nil {
		return nil, fmt.Errorf("app: key of the MQTT certificate: %w", err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: gateway}}, key)
	if err != nil {
		return nil, fmt.Errorf("app: certificate request: %w", err)
	}
	return csr, nil
}

func certificateKey(path string) (*ecdsa.PrivateKey, error) {
	raw, err := os.ReadFile(path)
	if err == nil {
		block, _ := pem.Decode(raw)
		if block == nil {
			return nil, fmt.Errorf("%s holds no PEM: remove it", path)
		}
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		key, ok := parsed.(*ecdsa.PrivateKey)
		if err != nil || !ok {
			return nil, fmt.Errorf("%s holds no P-256 key: remove it", path)
		}
		return key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, wire.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

func pemOf(der []byte) []byte {
	if der == nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// post sends a request to the server. Who answers is not asked of TLS: the answer itself proves it, and nothing that is sent is secret.
// So a gateway without a clock, or without the server's authority, can do it.
func post(ctx context.Context, server, path string, body []byte) (answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(server, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	q.Header.Set("Content-Type", "text/plain; charset=utf-8")
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(q)
	if err != nil {
		return nil, fmt.Errorf("app: ask the server: %w", err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, wire.MaxEnrolled+1))
	if err != nil {
		return nil, fmt.Errorf("app: ask the server: %w", err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusForbidden, http.StatusBadRequest:
		return nil, fmt.Errorf("app: %w: %s: %.300s", errAnswered, resp.Status, bytes.TrimSpace(answer))
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return nil, fmt.Errorf("app: %w: %w: it says: %s: %.300s", errElsewhere, errBusy, resp.Status, bytes.TrimSpace(answer))
	default: // no server of ours at all
		return nil, fmt.Errorf("app: %w: it says: %s: %.300s", errElsewhere, resp.Status, bytes.TrimSpace(answer))
	}
	return answer, nil
}

// tlsConfig is what the broker is spoken to with.
func (c *Config) tlsConfig(now func() time.Time) (*tls.Config, error) {
	t, err := uplink.TLSConfig(c.Server.CAFile, now)
	if err != nil || c.Server.CertFile == "" {
		return t, err
	}
	pair, err := tls.LoadX509KeyPair(c.Server.CertFile, c.Server.CertKeyFile)
	if err != nil {
		return nil, fmt.Errorf("app: cert_file: %w", err)
	}
	t.Certificates = []tls.Certificate{pair}
	return t, nil
}

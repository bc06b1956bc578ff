package app

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
)

// authority signs MQTT certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return authority{key, &x509.Certificate{SerialNumber: big.NewInt(1)}}
}

func (a authority) sign(t *testing.T, csr []byte) []byte {
	t.Helper()
	q, err := x509.ParseCertificateRequest(csr)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(2), Subject: q.Subject}, a.cert, q.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// rekeyServer agrees to every new key.
func rekeyServer(t *testing.T, a authority, signer note.Signer) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		q, err := wire.OpenRekey(raw)
		if err != nil {
			t.Error(err)
			return
		}
		answer, err := wire.SealRekeyed(raw, a.sign(t, q.CSR), signer)
		if err == nil {
			_, err = w.Write(answer)
		}
		if err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// A run that was stopped when the new certificate was written and its key was not leaves two files that do not belong together.
func TestRekey_GoesOnWhereverItWasStopped(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "gateway.yaml")
	vkey, err := wire.CreateKey(filepath.Join(dir, "server.key"), "htx-test")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"server.vkey": vkey + "\n",
		"gateway.yaml": `gateway: gw-ao
server: { url: "ssl://127.0.0.1:1", key_file: server.vkey, cert_file: data/mqtt.crt, cert_key_file: data/mqtt.key }
buses: { w: { w1: w1 } }
sensors: [{ id: ao1-temp, kind: ds18b20, bus: w, device: 28-0123456789ab }]
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	signer, _, err := wire.LoadKey(filepath.Join(dir, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := load(path)
	if err == nil {
		err = initialise(cfg)
	}
	if err != nil {
		t.Fatal(err)
	}
	a := newAuthority(t)
	for _, key := range []string{cfg.Server.CertKeyFile, cfg.Server.CertKeyFile + next} { // the certificate of the second is left there
		csr, err := certificateRequest(key, cfg.Gateway)
		if err == nil {
			err = wire.WriteFile(cfg.Server.CertFile, pemOf(a.sign(t, csr)), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err = wire.CreateSecret(cfg.PasswordFile + next)
	fresh := ""
	if err == nil {
		fresh, err = wire.CreateKey(cfg.KeyFile+next, cfg.Gateway)
	}
	if err != nil {
		t.Fatal(err)
	}

	var out bytes.Buffer
	if err := rekey(t.Context(), path, rekeyFlags{Server: rekeyServer(t, a, signer)}, &out, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if _, now, err := wire.LoadKey(cfg.KeyFile); err != nil || now != fresh {
		t.Errorf("signs with %s, %v; want %s", now, err, fresh)
	}
	if _, err := tls.LoadX509KeyPair(cfg.Server.CertFile, cfg.Server.CertKeyFile); err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(cfg.DataDir, "*"+next)); err != nil || left != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

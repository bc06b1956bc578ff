package broker_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"path/filepath"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"aovuon/server/broker"
	"aovuon/server/parttest"
)

// authority issues client certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key}
}

func (a *authority) issue(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotAfter: a.cert.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestEmbedded_ClientCertificateBindsTheIdentity(t *testing.T) {
	dir := t.TempDir()
	if err := parttest.WriteCertificates(dir); err != nil {
		t.Fatal(err)
	}
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	ours, foreign, pool := newAuthority(t), newAuthority(t), x509.NewCertPool()
	pool.AddCert(ours.cert)
	for _, required := range []bool{false, true} {
		b := startEmbedded(t, broker.EmbeddedOptions{
			TLS:                &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
			ClientCertificates: pool, RequireCertificate: required,
		})
		b.receive()
		options := func(password string, certs ...tls.Certificate) *mqtt.ClientOptions {
			o := clientOptions(b.address, "gw-one", "gw-one", password)
			o.Servers[0].Scheme = "ssl"
			return o.SetTLSConfig(&tls.Config{Certificates: certs, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}) //nolint:gosec // who the server is, other tests ask
		}
		own := ours.issue(t, "gw-one")
		b.mark(b.dial(options("secret-one", own)), "gw-one")
		for name, o := range map[string]*mqtt.ClientOptions{
			"another's certificate":         options("secret-one", ours.issue(t, "gw-two")),
			"of a foreign authority":        options("secret-one", foreign.issue(t, "gw-one")),
			"certificate, a wrong password": options("secret-two", own),
			"certificate, no password":      options("", own),
		} {
			if c := mqtt.NewClient(o); c.Connect().WaitTimeout(patience) && c.IsConnectionOpen() {
				t.Errorf("required %v: %s: let in", required, name)
				c.Disconnect(0)
			}
		}
		c := mqtt.NewClient(options("secret-one"))
		if c.Connect().WaitTimeout(patience) && c.IsConnectionOpen() == required {
			t.Errorf("required %v: without a certificate: connected %v", required, c.IsConnectionOpen())
		}
		c.Disconnect(0)
		b.stop()
	}
}

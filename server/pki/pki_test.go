package pki_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aovuon/server/pki"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func authority(t *testing.T, hosts ...string) *pki.Authority {
	t.Helper()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.key")
	for range 2 { // the second time it is left alone
		if err := pki.Create(cert, key, "htx-thu", hosts, noon); err != nil {
			t.Fatal(err)
		}
	}
	a, err := pki.Load(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestServer_IsForTheLocalNetworkAlone(t *testing.T) {
	a := authority(t, "htx.example")
	hosts := []string{"localhost", "pi.local", "192.168.1.7", "htx.example", "google.com", "8.8.8.8"}
	r, err := pki.NewRenewer(a, func() []string { return hosts }, func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	cert, err := r.Certificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hosts {
		_, err := cert.Leaf.Verify(x509.VerifyOptions{Roots: a.Pool(), CurrentTime: noon, DNSName: h})
		if foreign := h == "google.com" || h == "8.8.8.8"; (err == nil) == foreign {
			t.Errorf("%s: %v", h, err)
		}
	}
	if f := a.Fingerprint(); len(f) != 32*3-1 || strings.ToUpper(f) != f {
		t.Errorf("fingerprint %s", f)
	}
}

func TestRenewer_RenewsInTimeAndForANewAddress(t *testing.T) {
	a, now, hosts := authority(t), noon, []string{"192.168.1.7"}
	r, err := pki.NewRenewer(a, func() []string { return hosts }, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	get := func() *tls.Certificate {
		c, err := r.Certificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := get()
	now = now.Add(30 * 24 * time.Hour)
	if get() != first {
		t.Error("renewed after a month")
	}
	now = now.Add(31 * 24 * time.Hour)
	second := get()
	if second == first || !second.Leaf.NotAfter.After(first.Leaf.NotAfter) {
		t.Error("not renewed when a third of its time was left")
	}
	hosts = []string{"192.168.1.8"}
	now = now.Add(2 * time.Minute)
	if third := get(); third == second || third.Leaf.VerifyHostname("192.168.1.8") != nil {
		t.Error("no certificate for the new address")
	}
	hosts = []string{"8.8.8.8"} // nothing it may sign for: what there is stays
	now = now.Add(2 * time.Minute)
	if get() == nil {
		t.Error("nothing to show")
	}
}

func TestClient_IsNamedByTheServer(t *testing.T) {
	a := authority(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "gw-other"}, DNSNames: []string{"localhost"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := a.Client(csr, "gw-ao", noon)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil || c.Subject.CommonName != "gw-ao" || len(c.DNSNames) > 0 || c.IsCA {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := c.Verify(x509.VerifyOptions{Roots: a.Pool(), CurrentTime: noon, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
	if _, err := c.Verify(x509.VerifyOptions{Roots: a.Pool(), CurrentTime: noon, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}); err == nil {
		t.Error("a gateway can stand for a server")
	}
	csr[len(csr)-1] ^= 1
	if _, err := a.Client(csr, "gw-ao", noon); err == nil {
		t.Error("a request that nobody signed")
	}
}

func FuzzClient(f *testing.F) {
	dir := f.TempDir()
	cert, key := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.key")
	if err := pki.Create(cert, key, "htx", nil, noon); err != nil {
		f.Fatal(err)
	}
	a, err := pki.Load(cert, key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{0x30, 0})
	f.Fuzz(func(t *testing.T, request []byte) {
		der, err := a.Client(request, "gw-ao", noon)
		if err != nil {
			return
		}
		if c, err := x509.ParseCertificate(der); err != nil || c.Subject.CommonName != "gw-ao" || c.IsCA {
			t.Errorf("%v, %v", c, err)
		}
	})
}

// Package pki is the server's own small certificate authority: names, addresses and certificate requests come in; certificates for the
// pages and the broker on a local network, and for gateways, go out. Its own certificate is bounded to private addresses and the names it
// was made for, so that a phone that believes it believes it nothing about the rest of the world.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"aovuon/gateway/wire"
)

// How long certificates are good for. Phones refuse server certificates of more than 398 days.
const (
	authorityYears = 20
	serverLife     = 90 * 24 * time.Hour
	early          = 24 * time.Hour // clocks may be behind
)

// Authority signs certificates.
type Authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	pem  []byte
}

// privateRanges are the addresses a server certificate may be for.
func privateRanges() []*net.IPNet {
	var out []*net.IPNet
	for _, s := range []string{"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7", "fe80::/10"} {
		if _, n, err := net.ParseCIDR(s); err == nil {
			out = append(out, n)
		}
	}
	return out
}

// Create makes an authority for names of hosts, and those that end in .local, .lan, .internal and .home.arpa, unless its key is there: then
// it is left alone.
func Create(certFile, keyFile, name string, hosts []string, now time.Time) error {
	if _, err := os.Stat(keyFile); !errors.Is(err, fs.ErrNotExist) {
		if err != nil {
			return fmt.Errorf("pki: %w", err)
		}
		_, err := Load(certFile, keyFile)
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("pki: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return err
	}
	domains := []string{"localhost", "local", "lan", "internal", "home.arpa"}
	for _, h := range hosts {
		if h = strings.ToLower(h); net.ParseIP(h) == nil && h != "" && !slices.Contains(domains, h) {
			domains = append(domains, h)
		}
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "AoVuon " + name, Organization: []string{name}},
		NotBefore: now.Add(-early), NotAfter: now.AddDate(authorityYears, 0, 0), IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: domains, PermittedIPRanges: privateRanges(),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return fmt.Errorf("pki: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("pki: %w", err)
	}
	// The certificate first: without its key it is made again.
	if err := wire.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		return err
	}
	return wire.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600)
}

// Load reads an authority that Create made.
func Load(certFile, keyFile string) (*Authority, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("pki: authority %s: %w: put back the copies of both files, or remove both and run server init (phones and gateways must then be given the new one)", certFile, err)
	}
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return nil, fmt.Errorf("pki: authority %s: %w", certFile, err)
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || !cert.IsCA {
		return nil, fmt.Errorf("pki: %s is no authority's certificate", certFile)
	}
	return &Authority{cert: cert, key: key, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})}, nil
}

// PEM returns the authority's certificate.
func (a *Authority) PEM() []byte { return slices.Clone(a.pem) }

// DER returns the authority's certificate.
func (a *Authority) DER() []byte { return slices.Clone(a.cert.Raw) }

// Pool holds the authority alone.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// Fingerprint is the SHA-256 of the certificate as phones show it: AB:CD:…
func (a *Authority) Fingerprint() string {
	sum := sha256.Sum256(a.cert.Raw)
	var b strings.Builder
	for i, x := range sum {
		if i > 0 {
			b.WriteByte(':')
		}
		fmt.Fprintf(&b, "%02X", x)
	}
	return b.String()
}

// server issues a certificate for hosts, names and addresses; those the authority may not sign for are left out.
func (a *Authority) server(hosts []string, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("pki: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: a.cert.Subject.CommonName}, NotBefore: now.Add(-early), NotAfter: now.Add(serverLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			if slices.ContainsFunc(a.cert.PermittedIPRanges, func(n *net.IPNet) bool { return n.Contains(ip) }) {
				template.IPAddresses = append(template.IPAddresses, ip)
			}
		} else if a.mayName(h) {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	if len(template.DNSNames)+len(template.IPAddresses) == 0 {
		return nil, fmt.Errorf("pki: the authority may sign for none of %s", strings.Join(hosts, ", "))
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("pki: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("pki: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

func (a *Authority) mayName(host string) bool {
	return slices.ContainsFunc(a.cert.PermittedDNSDomains, func(d string) bool { return host == d || strings.HasSuffix(host, "."+d) })
}

// maxRequest bounds a certificate request.
const maxRequest = 4 << 10

// Client issues a certificate for a gateway from its certificate request: for its id, whatever the request names. It is good for as long
// as the authority: a gateway without a clock cannot renew in time, and who is retired is refused for his name.
func (a *Authority) Client(request []byte, gateway string, now time.Time) (der []byte, err error) {
	if len(request) > maxRequest || !wire.ValidGatewayID(gateway) {
		return nil, errors.New("pki: no certificate request of a gateway")
	}
	q, err := x509.ParseCertificateRequest(request)
	if err == nil {
		err = q.CheckSignature()
	}
	if err != nil {
		return nil, fmt.Errorf("pki: certificate request: %w", err)
	}
	if k, ok := q.PublicKey.(*ecdsa.PublicKey); !ok || k.Curve != elliptic.P256() {
		return nil, errors.New("pki: certificate request: want a P-256 key")
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	return x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: gateway}, NotBefore: now.Add(-early), NotAfter: a.cert.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, a.cert, q.PublicKey, a.key)
}

func newSerial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("pki: %w", err)
	}
	return n, nil
}

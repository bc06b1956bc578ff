package pki

import (
	"crypto/tls"
	"slices"
	"sync"
	"time"
)

// Renewer shows a certificate of the authority's for the hosts this machine has, and makes a new one before the old one is over and when
// the machine has another address. It keeps it in memory: a restart makes another.
type Renewer struct {
	authority *Authority
	hosts     func() []string
	now       func() time.Time

	mu     sync.Mutex
	hadFor []string
	asked  time.Time
	cert   *tls.Certificate
}

// lookAgain is how soon an address that changed is seen.
const lookAgain = time.Minute

// NewRenewer makes the first certificate.
func NewRenewer(a *Authority, hosts func() []string, now func() time.Time) (*Renewer, error) {
	r := &Renewer{authority: a, hosts: hosts, now: now}
	_, err := r.Certificate(nil)
	return r, err
}

// Certificate is tls.Config.GetCertificate.
func (r *Renewer) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if r.cert != nil && now.Sub(r.asked) < lookAgain && !now.Before(r.asked) {
		return r.cert, nil
	}
	hosts := r.hosts()
	r.asked = now
	if r.cert != nil && slices.Equal(hosts, r.hadFor) && now.After(r.cert.Leaf.NotBefore) && now.Before(r.cert.Leaf.NotAfter.Add(-serverLife/3)) {
		return r.cert, nil
	}
	cert, err := r.authority.server(hosts, now)
	if err != nil {
		if r.cert != nil {
			return r.cert, nil // what there is, is better than nothing
		}
		return nil, err
	}
	r.cert, r.hadFor = cert, hosts
	return cert, nil
}

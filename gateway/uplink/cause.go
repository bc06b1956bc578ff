package uplink

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// Cause says in one word why the server is not reached, so that a page can say it in the language of its reader.
type Cause string

// The causes.
const (
	NoNetwork   Cause = "network"     // this machine has none
	NoName      Cause = "name"        // nobody has the server's name
	Unanswered  Cause = "unanswered"  // nobody is there, or something in between lets nothing through
	WrongClock  Cause = "clock"       // the certificate is not of now: this machine's clock is wrong, or it is over
	Untrusted   Cause = "certificate" // of an authority or a name that is not the server's
	NotLetIn    Cause = "login"       // the server does not know this gateway, or its password
	Unconfirmed Cause = "silent"      // batches go out, and no receipt comes
)

// Causes lists them.
func Causes() []Cause {
	return []Cause{NoNetwork, NoName, Unanswered, WrongClock, Untrusted, NotLetIn, Unconfirmed}
}

// CauseOf returns the cause of an error of [Uplink.Run]'s or of another try to reach a server; empty where it is none of them.
func CauseOf(err error) Cause {
	is := func(list ...error) bool {
		for _, e := range list {
			if errors.Is(err, e) {
				return true
			}
		}
		return false
	}
	if c := causeOfTLS(err); c != "" {
		return c
	}
	if name, ok := errors.AsType[*net.DNSError](err); ok {
		if name.IsNotFound && !name.IsTemporary {
			return NoName
		}
		return NoNetwork // nobody can be asked for names
	}
	timeout, ok := errors.AsType[net.Error](err)
	switch {
	case is(errSilent):
		return Unconfirmed
	case is(packets.ErrorRefusedNotAuthorised, packets.ErrorRefusedBadUsernameOrPassword, packets.ErrorRefusedIDRejected):
		return NotLetIn
	case is(syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EHOSTUNREACH):
		return NoNetwork
	case is(syscall.ECONNREFUSED, syscall.ECONNRESET, io.EOF, io.ErrUnexpectedEOF, errUnanswered) || ok && timeout.Timeout():
		return Unanswered
	}
	return ""
}

func causeOfTLS(err error) Cause {
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	switch {
	case ok && invalid.Reason == x509.Expired: // or not valid yet
		return WrongClock
	case ok:
		return Untrusted
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return Untrusted
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return Untrusted
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return Untrusted
	}
	return ""
}

package uplink_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"aovuon/gateway/uplink"
	"aovuon/server/parttest"
)

// steps goes the way to a server and returns the names of the steps, the last with its error and mend.
func steps(t *testing.T, o uplink.Options, login bool) (names string, last uplink.Step) {
	t.Helper()
	o.Gateway = gateway
	var list []string
	for _, s := range uplink.Try(t.Context(), o, login) {
		list, last = append(list, s.Name), s
		if s.Err == nil && s.Did == "" || s.Err != nil && s.Mend == "" {
			t.Errorf("%+v says nothing", s)
		}
	}
	return strings.Join(list, " "), last
}

func TestTry_NamesTheStepThatFails(t *testing.T) {
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := refused.Close(); err != nil {
		t.Fatal(err)
	}
	plain := parttest.Mosquitto(t, parttest.MosquittoOptions{Users: map[string]string{gateway: password}})
	secure := parttest.Mosquitto(t, parttest.MosquittoOptions{TLS: true})
	trusting := func(now time.Time) uplink.Options {
		c, err := uplink.TLSConfig(secure.CAFile, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		return uplink.Options{URL: secure.URL, TLS: c}
	}
	strange, err := uplink.TLSConfig("", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	noName := uplink.NoName
	if _, err := net.DefaultResolver.LookupHost(t.Context(), "farm.invalid"); !notFound(err) {
		noName = uplink.NoNetwork // a machine that can ask nobody for names
	}
	for name, tc := range map[string]struct {
		o     uplink.Options
		steps string
		err   string
		mend  string
		cause uplink.Cause
	}{
		"no address":        {uplink.Options{URL: "farm.example"}, "name", "scheme", "tcp://", ""},
		"no such name":      {uplink.Options{URL: "tcp://farm.invalid:1883"}, "name", "farm.invalid", "name", noName},
		"nobody listens":    {uplink.Options{URL: "tcp://" + refused.Addr().String()}, "name port", "refused", "start the server", uplink.Unanswered},
		"no TLS there":      {uplink.Options{URL: strings.Replace(plain.URL, "tcp:", "ssl:", 1), TLS: strange}, "name port certificate", "", "TLS", uplink.Unanswered},
		"unknown authority": {uplink.Options{URL: secure.URL, TLS: strange}, "name port certificate", "unknown authority", "server.ca_file", uplink.Untrusted},
		"not yet valid":     {trusting(time.Unix(0, 0)), "name port certificate", "not yet valid", "clock", uplink.WrongClock},
		"wrong password":    {uplink.Options{URL: plain.URL, Password: "x"}, "name port certificate login", "gateway card", "enrol", uplink.NotLetIn},
		"all is well":       {uplink.Options{URL: plain.URL, Password: password}, "name port certificate login topics", "", "", ""},
		"all is secure":     {trusting(time.Now()), "name port certificate login topics", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			names, last := steps(t, tc.o, true)
			if names != tc.steps || (tc.mend == "") != (last.Err == nil) || !strings.Contains(last.Mend, tc.mend) {
				t.Fatalf("steps %q, last %+v", names, last)
			}
			if last.Err != nil && !strings.Contains(last.Err.Error(), tc.err) {
				t.Errorf("error %v", last.Err)
			}
			if got := uplink.CauseOf(last.Err); got != tc.cause {
				t.Errorf("the cause of %v is %q, want %q", last.Err, got, tc.cause)
			}
		})
	}
	if names, last := steps(t, uplink.Options{URL: plain.URL, Password: "x"}, false); names != "name port certificate" || last.Err != nil {
		t.Errorf("logged in while the gateway runs: %s %v", names, last.Err)
	}
}

func TestTry_TopicsThatTheBrokerRefuses(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			refuseTopics(c)
		}
	}()
	names, last := steps(t, uplink.Options{URL: "tcp://" + l.Addr().String(), Password: password}, true)
	if names != "name port certificate login topics" || last.Err == nil || !strings.Contains(last.Mend, "read /receipt") {
		t.Errorf("steps %q, last %+v", names, last)
	}
}

// refuseTopics is a broker that lets everybody in and gives nobody a topic.
func refuseTopics(c net.Conn) {
	defer func() { _ = c.Close() }() //nolint:errcheck // the other side may be gone
	for {
		p, err := packets.ReadPacket(c)
		if err != nil {
			return
		}
		var answer packets.ControlPacket
		switch p := p.(type) {
		case *packets.ConnectPacket:
			answer = packets.NewControlPacket(packets.Connack)
		case *packets.SubscribePacket:
			a := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
			a.MessageID, a.ReturnCodes = p.MessageID, []byte{0x80}
			answer = a
		default:
			continue
		}
		if answer.Write(c) != nil {
			return
		}
	}
}

func notFound(err error) bool {
	name, ok := errors.AsType[*net.DNSError](err)
	return ok && name.IsNotFound && !name.IsTemporary
}

// What a test cannot have happen to this machine: it has no network, or nobody answers there.
func TestCauseOf_ErrorsOfANetwork(t *testing.T) {
	dial := func(err error) error {
		return fmt.Errorf("connect to ssl://htx.example: %w", &net.OpError{Op: "dial", Net: "tcp", Err: err})
	}
	for want, list := range map[uplink.Cause][]error{
		uplink.NoNetwork: {
			dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)),
			dial(&net.DNSError{Err: "server misbehaving", Name: "htx.example", IsTemporary: true}), dial(&net.DNSError{Err: "i/o timeout", Name: "htx.example", IsTimeout: true}),
		},
		uplink.NoName:     {dial(&net.DNSError{Err: "no such host", Name: "htx.example", IsNotFound: true})},
		uplink.Unanswered: {dial(os.ErrDeadlineExceeded), dial(os.NewSyscallError("read", syscall.ECONNRESET))},
		uplink.Untrusted:  {dial(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "htx.example"}), dial(x509.CertificateInvalidError{Reason: x509.CANotAuthorizedForThisName})},
		"":                {nil, errors.New("disk is full")},
	} {
		for _, err := range list {
			if got := uplink.CauseOf(err); got != want {
				t.Errorf("%v: %q, want %q", err, got, want)
			}
		}
	}
}

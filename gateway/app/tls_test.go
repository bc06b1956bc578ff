package app_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"aovuon/gateway/app"
	"aovuon/gateway/uplink"
	"aovuon/server/parttest"
)

// tlsBroker is a listener with a certificate that is valid from and to; it lets in who gets through the handshake.
func tlsBroker(t *testing.T, from, to time.Time) (addr, ca string) {
	t.Helper()
	dir := t.TempDir()
	if err := parttest.WriteCertificatesOf(dir, from, to); err != nil {
		t.Fatal(err)
	}
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go greet(c)
		}
	}()
	return l.Addr().String(), filepath.Join(dir, "ca.pem")
}

// greet accepts an MQTT client and waits until it leaves.
func greet(c net.Conn) {
	defer func() { _ = c.Close() }() //nolint:errcheck // the client sees it
	if _, err := packets.ReadPacket(c); err != nil {
		return
	}
	if err := packets.NewControlPacket(packets.Connack).Write(c); err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, c) //nolint:errcheck // until it leaves
}

// knock connects as the uplink does, at the time the gateway's clock for certificates says.
func knock(t *testing.T, addr, ca string, now func() time.Time) error {
	t.Helper()
	c, err := uplink.TLSConfig(ca, now)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := (&tls.Dialer{Config: c}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		return err
	}
	p, _ := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.ClientIdentifier = "MQTT", 4, "gw-ao"
	if err := p.Write(conn); err != nil {
		return err
	}
	_, err = packets.ReadPacket(conn)
	return errors.Join(err, conn.Close())
}

// TestTLS_WorksOnAMachineThatThinksItIs1970: a certificate of these days, and a clock that was never set.
func TestTLS_WorksOnAMachineThatThinksItIs1970(t *testing.T) {
	config, _ := newGateway(t)
	day := 24 * time.Hour
	addr, ca := tlsBroker(t, time.Now().Add(-day), time.Now().Add(90*day))
	var invalid x509.CertificateInvalidError
	epoch := time.Unix(60, 0)
	if err := knock(t, addr, ca, func() time.Time { return epoch }); !errors.As(err, &invalid) || invalid.Reason != x509.Expired {
		t.Fatalf("in 1970 itself it is not valid yet: %v", err)
	}
	for name, machine := range map[string]time.Time{"1970": epoch, "2016, as a Pi's image says": time.Unix(1_460_000_000, 0), "right": time.Now()} {
		now, err := app.NotBefore(config, machine)
		if err != nil {
			t.Fatal(err)
		}
		if err := knock(t, addr, ca, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is wrong stays wrong.
	now, err := app.NotBefore(config, epoch)
	if err != nil {
		t.Fatal(err)
	}
	if old, ca := tlsBroker(t, time.Now().Add(-90*day), time.Now().Add(-day)); !errors.As(knock(t, old, ca, now), &invalid) {
		t.Error("an expired certificate is taken")
	}
	_, stranger := tlsBroker(t, time.Now().Add(-day), time.Now().Add(day))
	var unknown x509.UnknownAuthorityError
	if err := knock(t, addr, stranger, now); !errors.As(err, &unknown) {
		t.Errorf("a certificate of a stranger: %v", err)
	}
}

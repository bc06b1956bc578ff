// Package smtptest is a mail server for tests: it speaks enough SMTP (EHLO, STARTTLS, AUTH PLAIN and LOGIN, 8BITMIME) to take mail, keeps
// what it took, and misbehaves as it is told. Mail comes in over loopback; Letters go out.
package smtptest

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// Letter is a mail that was accepted.
type Letter struct {
	From, To string // of the envelope
	Raw      string
	Header   mail.Header
	Subject  string // decoded
	Text     string // decoded, lines end in \n
}

// Options are the settings of Start.
type Options struct {
	TLS      *tls.Config // offered by STARTTLS; nil: not offered
	Implicit bool        // TLS from the first byte
	Auth     string      // what is offered, such as "PLAIN LOGIN"; empty: none, and nobody needs to sign in
	Username string
	Password string
	// Answer is asked before every command and line of the conversation ("GREETING", "EHLO", "MAIL", "RCPT", "DATA", "TEXT" of a letter that was read, "DONE" of one that was taken …) with its argument.
	// What it returns is said instead of the usual; "" is as usual, "HANG" says nothing any more, "CLOSE" hangs up. nil: all is well.
	Answer func(command, argument string) string
}

// Server is a running mail server.
type Server struct {
	Addr string
	o    Options
	l    net.Listener

	mu      sync.Mutex
	letters []Letter
	conns   map[net.Conn]bool
	arrived chan Letter
	done    chan struct{}
	wait    sync.WaitGroup
}

// Start starts a server that ends with the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: l.Addr().String(), o: o, l: l, conns: map[net.Conn]bool{}, arrived: make(chan Letter, 10_000), done: make(chan struct{})}
	s.wait.Go(s.accept)
	t.Cleanup(s.close)
	return s
}

// Letters returns what was accepted so far.
func (s *Server) Letters() []Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Letter(nil), s.letters...)
}

// Arrived gives every accepted letter once, as it comes.
func (s *Server) Arrived() <-chan Letter { return s.arrived }

func (s *Server) close() {
	close(s.done)
	s.l.Close() //nolint:errcheck // the test is over
	s.mu.Lock()
	for c := range s.conns {
		c.Close() //nolint:errcheck // the test is over
	}
	s.mu.Unlock()
	s.wait.Wait()
}

func (s *Server) accept() {
	for {
		c, err := s.l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = true
		s.mu.Unlock()
		s.wait.Go(func() {
			s.converse(c)
			c.Close() //nolint:errcheck // the other side sees it
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		})
	}
}

// talk is one conversation.
type talk struct {
	s        *Server
	conn     net.Conn
	r        *bufio.Reader
	secure   bool
	signedIn bool
	from, to string
}

func (s *Server) converse(c net.Conn) {
	t := &talk{s: s, conn: c, secure: s.o.Implicit}
	if s.o.Implicit {
		t.conn = tls.Server(c, s.o.TLS)
	}
	t.r = bufio.NewReader(t.conn)
	if !t.say("GREETING", "", "220 smtptest ESMTP") {
		return
	}
	for {
		line, err := t.r.ReadString('\n')
		if err != nil {
			return
		}
		command, argument, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if !t.obey(strings.ToUpper(command), argument) {
			return
		}
	}
}

// say answers, or does what the test wants instead. It reports whether the conversation goes on.
func (t *talk) say(command, argument, usual string) bool {
	if other := t.other(command, argument); other != "" {
		return t.write(other)
	}
	return t.write(usual)
}

// other is what the test wants said instead of the usual.
func (t *talk) other(command, argument string) string {
	if t.s.o.Answer == nil {
		return ""
	}
	return t.s.o.Answer(command, argument)
}

func (t *talk) write(answer string) bool {
	switch answer {
	case "CLOSE":
		return false
	case "HANG":
		select {
		case <-t.s.done:
		case <-gone(t.r):
		}
		return false
	}
	_, err := io.WriteString(t.conn, answer+"\r\n")
	return err == nil
}

// gone is closed when the other side hangs up.
func gone(r io.Reader) <-chan struct{} {
	c := make(chan struct{})
	go func() {
		io.Copy(io.Discard, r) //nolint:errcheck // until it ends, however
		close(c)
	}()
	return c
}

func (t *talk) obey(command, argument string) bool {
	switch command {
	case "EHLO":
		return t.say(command, argument, t.hello())
	case "STARTTLS":
		if !t.say(command, argument, "220 go on") {
			return false
		}
		t.conn, t.secure = tls.Server(t.conn, t.s.o.TLS), true
		t.r = bufio.NewReader(t.conn)
		return true
	case "AUTH":
		return t.auth(argument)
	case "MAIL":
		if t.s.o.Auth != "" && !t.signedIn {
			return t.say(command, argument, "530 5.7.0 sign in first")
		}
		t.from = address(argument)
		return t.say(command, argument, "250 2.1.0 ok")
	case "RCPT":
		t.to = address(argument)
		return t.say(command, argument, "250 2.1.5 ok")
	case "DATA":
		return t.data(argument)
	case "QUIT":
		t.say(command, argument, "221 bye")
		return false
	}
	return t.say(command, argument, "502 5.5.1 not known")
}

func (t *talk) hello() string {
	lines := []string{"smtptest", "8BITMIME"}
	if t.s.o.TLS != nil && !t.secure {
		lines = append(lines, "STARTTLS")
	}
	if t.s.o.Auth != "" {
		lines = append(lines, "AUTH "+t.s.o.Auth)
	}
	for i := range lines {
		sep := "-"
		if i == len(lines)-1 {
			sep = " "
		}
		lines[i] = "250" + sep + lines[i]
	}
	return strings.Join(lines, "\r\n")
}

func (t *talk) auth(argument string) bool {
	way, first, _ := strings.Cut(argument, " ")
	ask := func(question string) string {
		t.write("334 " + base64.StdEncoding.EncodeToString([]byte(question)))
		line, err := t.r.ReadString('\n')
		if err != nil {
			return ""
		}
		return decode(line)
	}
	var user, password string
	switch strings.ToUpper(way) {
	case "PLAIN":
		if parts := strings.Split(decode(first), "\x00"); len(parts) == 3 {
			user, password = parts[1], parts[2]
		}
	case "LOGIN":
		user, password = ask("Username:"), ask("Password:")
	}
	if user != t.s.o.Username || password != t.s.o.Password {
		return t.say("AUTH", argument, "535 5.7.8 wrong user name or password")
	}
	t.signedIn = true
	return t.say("AUTH", argument, "235 2.7.0 ok")
}

// decode reads base64; what is none is nothing.
func decode(s string) string {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil {
		return ""
	}
	return string(raw)
}

func (t *talk) data(argument string) bool {
	if t.to == "" {
		return t.say("DATA", argument, "503 5.5.1 to whom?")
	}
	if other := t.other("DATA", argument); other != "" {
		return t.write(other)
	}
	if !t.write("354 go on") {
		return false
	}
	raw, err := io.ReadAll(textproto.NewReader(t.r).DotReader())
	if err != nil {
		return false
	}
	l := read(t.from, t.to, string(raw))
	if other := t.other("TEXT", l.Raw); other != "" {
		return t.write(other)
	}
	t.s.mu.Lock()
	t.s.letters = append(t.s.letters, l)
	t.s.mu.Unlock()
	t.s.arrived <- l
	return t.say("DONE", "", "250 2.0.0 taken") // or not: taken, and the answer lost
}

// address is what stands between the angle brackets of MAIL FROM and RCPT TO.
func address(argument string) string {
	_, rest, _ := strings.Cut(argument, "<")
	a, _, _ := strings.Cut(rest, ">")
	return a
}

func read(from, to, raw string) Letter {
	l := Letter{From: from, To: to, Raw: raw}
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		return l
	}
	l.Header = m.Header
	if l.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return l
	}
	body := m.Body
	if strings.EqualFold(m.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(m.Body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return l
	}
	l.Text = strings.ReplaceAll(string(text), "\r\n", "\n")
	return l
}

package story

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// mailbox takes every mail that is sent to it (SMTP, RFC 5321, no TLS, nobody has to say who they are), for whomever it is.
type mailbox struct {
	listener net.Listener
	mu       sync.Mutex
	mails    []string // headers decoded, then the text
}

// newMailbox opens a mailbox on loopback that takes mails until ctx or the listener ends.
func newMailbox(ctx context.Context) (*mailbox, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("mailbox: %w", err)
	}
	m := &mailbox{listener: l}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go m.serve(conn)
		}
	}()
	return m, nil
}

// serve speaks with one client until it leaves.
func (m *mailbox) serve(conn net.Conn) {
	defer conn.Close() //nolint:errcheck // the client has gone
	in := bufio.NewReader(conn)
	say := func(line string) bool { _, err := io.WriteString(conn, line+"\r\n"); return err == nil }
	ok := say("220 mailbox")
	for ok {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.TrimSpace(strings.ToUpper(line)), " ")
		switch verb {
		case "DATA":
			if !say("354 go on") {
				return
			}
			text, err := readMail(in)
			if err != nil {
				return
			}
			m.mu.Lock()
			m.mails = append(m.mails, text)
			m.mu.Unlock()
			ok = say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			ok = say("250 fine")
		}
	}
}

// readMail reads a mail up to the line that ends it, and decodes what people would read of it.
func readMail(in *bufio.Reader) (string, error) {
	var raw strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return "", err
		}
		if strings.TrimRight(line, "\r\n") == "." {
			break
		}
		raw.WriteString(strings.TrimPrefix(line, "."))
	}
	msg, err := mail.ReadMessage(strings.NewReader(raw.String()))
	if err != nil {
		return raw.String(), nil //nolint:nilerr // what is no mail is kept as it came: the story says what is missing in it
	}
	body := msg.Body
	if strings.EqualFold(msg.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return raw.String(), nil //nolint:nilerr // as above
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil {
		subject = msg.Header.Get("Subject")
	}
	return "To: " + msg.Header.Get("To") + "\nSubject: " + subject + "\n\n" + string(text), nil
}

func (m *mailbox) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.mails...)
}

// openMailbox gives the story a mailbox, and sets $MAIL to its address.
func openMailbox(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 0, "mailbox")
	m, err := newMailbox(c.ctx)
	ts.Check(err)
	c.mail = m
	ts.Defer(func() { ts.Check(m.listener.Close()) })
	host, port, err := net.SplitHostPort(m.listener.Addr().String())
	ts.Check(err)
	ts.Setenv("MAIL", host+":"+port)
	ts.Setenv("MAIL_PORT", port)
}

// mailed waits until a mail came that is like every REGEXP.
func mailed(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 1, "mailed REGEXP...")
	if c.mail == nil {
		ts.Fatalf("mailed: there is no mailbox: say mailbox first")
	}
	var res []*regexp.Regexp
	for _, a := range args {
		re, err := regexp.Compile(a)
		ts.Check(err)
		res = append(res, re)
	}
	c.await(ts, Patience, "a mail", func(context.Context) (bool, string) {
		all := c.mail.all()
		for _, text := range all {
			if like(text, res) {
				return true, ""
			}
		}
		return false, fmt.Sprintf("%d mails, none is like that:\n%s", len(all), strings.Join(all, "\n----\n"))
	})
}

func like(text string, res []*regexp.Regexp) bool {
	for _, re := range res {
		if !re.MatchString(text) {
			return false
		}
	}
	return true
}

// mails counts what has come so far.
func mails(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 2, "mails N REGEXP")
	re, err := regexp.Compile(args[1])
	ts.Check(err)
	n := 0
	for _, text := range c.mail.all() {
		if re.MatchString(text) {
			n++
		}
	}
	if fmt.Sprint(n) != args[0] {
		ts.Fatalf("%d mails are like %s, want %s:\n%s", n, args[1], args[0], strings.Join(c.mail.all(), "\n----\n"))
	}
}

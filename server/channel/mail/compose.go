package mail

import (
	"bytes"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"

	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

// compose writes a message as RFC 5322 and MIME want it. All lines end in CRLF and are short, whatever the text holds.
func (c *Channel) compose(m notify.Message, to, id string) []byte {
	var b bytes.Buffer
	header := func(key, value string) {
		if value != "" {
			b.WriteString(key + ": " + value + "\r\n")
		}
	}
	header("From", c.o.From.String())
	header("To", "<"+to+">")
	header("Reply-To", c.o.ReplyTo)
	header("Subject", folded(m.Subject))
	header("Date", c.o.Now().Format(time.RFC1123Z))
	header("Message-ID", id)
	if m.Alarm != "" { // all messages of one alarm are one conversation in the reader's list
		header("References", c.messageID("alarm-"+m.Alarm))
	}
	if m.Level == rule.Crit && m.Kind != notify.Closed {
		header("Importance", "high")
		header("X-Priority", "1")
	}
	header("Auto-Submitted", "auto-generated") // RFC 3834: no holiday notes in answer
	header("Content-Language", m.Lang)
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	w.Write([]byte(body(m))) //nolint:errcheck // to memory
	w.Close()                //nolint:errcheck // to memory
	return b.Bytes()
}

// body is the text, with the address of its page below it where the text does not hold it.
func body(m notify.Message) string {
	text := strings.ReplaceAll(strings.TrimRight(m.Text, "\r\n"), "\r\n", "\n")
	if m.Link != "" && !strings.Contains(text, m.Link) {
		text += "\n\n" + m.Link
	}
	return strings.ReplaceAll(text, "\n", "\r\n") + "\r\n"
}

// oneLine keeps a header from becoming two.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// folded is a subject in encoded words, one a line (RFC 2047 §2: such lines have at most 76 characters).
func folded(s string) string {
	plain := oneLine(s)
	coded := mime.QEncoding.Encode("utf-8", plain)
	if coded == plain {
		return coded
	}
	return "\r\n " + strings.ReplaceAll(coded, "?= =?", "?=\r\n =?")
}

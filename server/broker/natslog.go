package broker

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
)

func sha(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }

// logger takes the embedded server's log. Refusals have no other hook, so their lines are read here.
type logger struct {
	log    *slog.Logger
	report func(Violation)
	user   *regexp.Regexp
	fatal  chan string // the first thing the server cannot live with
}

func newLogger(log *slog.Logger, report func(Violation)) *logger {
	return &logger{log: log, report: report, fatal: make(chan string, 1), user: regexp.MustCompile(`- mid[^ ]*:\d+ - "([a-z0-9-]{2,39})"`)}
}

// Noticef implements server.Logger.
func (l *logger) Noticef(format string, v ...any) { l.log.Debug("broker", text(format, v)) }

// Debugf implements server.Logger.
func (l *logger) Debugf(string, ...any) {}

// Tracef implements server.Logger.
func (l *logger) Tracef(string, ...any) {}

// Warnf implements server.Logger.
func (l *logger) Warnf(format string, v ...any) { l.log.Info("broker warns", text(format, v)) }

// Fatalf implements server.Logger.
func (l *logger) Fatalf(format string, v ...any) {
	l.log.Error("broker failed", text(format, v))
	select {
	case l.fatal <- fmt.Sprintf(format, v...):
	default:
	}
}

// Errorf implements server.Logger.
func (l *logger) Errorf(format string, v ...any) {
	line := fmt.Sprintf(format, v...)
	violation, ok := l.parse(line)
	if !ok {
		l.log.Debug("broker reports", slog.String("text", line))
		return
	}
	l.log.Debug("broker refused", slog.String("gateway", violation.Gateway), slog.String("kind", string(violation.Kind)), slog.String("text", line))
	l.report(violation)
}

func text(format string, v []any) slog.Attr { return slog.String("text", fmt.Sprintf(format, v...)) }

// parse reads lines such as `127.0.0.1:40284 - mid:12 - "gw-ao" - Publish Violation - Subject "aovuon.1.x.batch"`.
func (l *logger) parse(line string) (Violation, bool) {
	v := Violation{Detail: line}
	if strings.Contains(line, "unable to connect: ") {
		return v, false // the line before it said why
	}
	for _, k := range []struct {
		text string
		kind ViolationKind
	}{
		{"Publish Violation", ForeignPublish},
		{"Subscription Violation", ForeignSubscribe},
		{"maximum payload exceeded", TooLarge},
		{"authentication error", Credentials},
		{"authentication timeout", Credentials},
		{"critical write error", Storage},
		{"insufficient resources", Storage},
		{"unacceptable protocol version", Protocol},
		{"QoS2", Protocol},
		{"QoS=2", Protocol},
		{"malformed", Protocol},
		{"first packet should be a CONNECT", Protocol},
	} {
		if strings.Contains(line, k.text) {
			v.Kind = k.kind
			if m := l.user.FindStringSubmatch(line); m != nil {
				v.Gateway = m[1]
			}
			return v, true
		}
	}
	return v, false
}

package broker

import "log/slog"

// ReadLog reads a line of the embedded server's log.
func ReadLog(line string) (Violation, bool) {
	return newLogger(slog.New(slog.DiscardHandler), nil).parse(line)
}

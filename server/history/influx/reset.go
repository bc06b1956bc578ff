package influx

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"aovuon/gateway/measure"
)

// Reset deletes every point, so that the history can be drawn again from the batch log without one staying where its
// sensor no longer was. It works on 1.8 and 2.x; 3 Core has no DELETE in InfluxQL, there a database is made anew with its
// own tools.
func (s *Store) Reset(ctx context.Context) error {
	var q strings.Builder
	for _, m := range measure.Quantities() {
		q.WriteString("DELETE FROM " + identifier(string(m)) + ";")
	}
	if err := s.query(ctx, http.MethodPost, q.String(), func(result) error { return nil }); err != nil {
		return fmt.Errorf("history/influx: empty database %s: %w", s.opts.Database, err)
	}
	return nil
}

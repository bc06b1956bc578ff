package audit

import (
	"context"
	"fmt"
)

// edgeSource is a source that can compare what is in what with what it was drawn from.
type edgeSource interface {
	EdgeFaults(ctx context.Context, most int) ([]string, error)
}

// mostEdgeFaults bounds how many sources of edges are named.
const mostEdgeFaults = 100

// compareEdges compares the edges between goods with the diary and the goods events: a recall finds what they say.
func (a *auditor) compareEdges(ctx context.Context) error {
	src, ok := a.src.(edgeSource)
	if !ok || !a.report.Sound() { // what they are drawn from is wrong itself
		return nil
	}
	faults, err := src.EdgeFaults(ctx, mostEdgeFaults)
	if err != nil {
		return fmt.Errorf("audit: edges: %w", err)
	}
	for _, f := range faults {
		a.report.find("edges of "+f, "are not what the diary and the goods events say: server recall redraw draws them anew")
	}
	return nil
}

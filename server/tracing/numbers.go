package tracing

import (
	"context"
	"crypto/rand"

	"go.opentelemetry.io/otel/trace"
)

// root is the number of a trace and of its first span.
type root struct {
	trace trace.TraceID
	span  trace.SpanID
}

// numbersKey is the key of a root in a context.
type numbersKey struct{}

// numbers gives traces and spans their numbers: those of the context where it has some, else random ones.
type numbers struct{}

// NewIDs implements sdk.IDGenerator.
func (numbers) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if r, ok := ctx.Value(numbersKey{}).(root); ok {
		return r.trace, r.span
	}
	r := newRoot()
	return r.trace, r.span
}

// NewSpanID implements sdk.IDGenerator.
func (numbers) NewSpanID(context.Context, trace.TraceID) trace.SpanID { return newRoot().span }

// newRoot draws one. rand.Read never fails (crypto/rand).
func newRoot() (r root) {
	_, _ = rand.Read(r.trace[:])
	_, _ = rand.Read(r.span[:])
	return r
}

package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"aovuon/gateway/wire"
)

// verify is one worker: it has some of the gateways, and checks their messages one after the other.
func (n *Ingest) verify(ctx context.Context, in <-chan message) error {
	reader := wire.NewReader()
	for {
		var m message
		select {
		case <-ctx.Done():
			return nil
		case m = <-in:
		}
		if m.leaf == wire.LeafStatus {
			n.status(m)
			continue
		}
		it, why, detail := n.open(reader, m)
		if why != "" {
			n.note(m, why, detail)
			n.settle(m)
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case n.verified <- it:
		}
	}
}

// open checks who sent m and whether it is what they sealed. A refusal has a reason.
func (n *Ingest) open(reader *wire.Reader, m message) (it *item, why Reason, detail string) {
	g := n.Registry.member(m.gateway)
	switch {
	case g == nil:
		return nil, UnknownGateway, "nobody enrolled it: use server gateway add"
	case !g.Retired.IsZero():
		return nil, RetiredGateway, "out of service since " + g.Retired.UTC().Format("2006-01-02 15:04")
	}
	if g.Unsigned() {
		return nil, Foreign, "a batch under the name of a source that cannot sign: the server itself seals what that sends"
	}
	var opening, opened time.Time
	if n.Traced != nil {
		opening = n.Now()
	}
	b, err := reader.Open(m.payload, g.verifier)
	if err != nil {
		why, detail = reasonOf(m, err)
		return nil, why, detail
	}
	if n.Traced != nil {
		opened = n.Now()
	}
	it = &item{message: m, batch: b, opening: opening, opened: opened, row: Row{
		Chain: Chain{b.Gateway, b.Epoch}, Seq: b.Seq, Hash: wire.HashOf(m.payload), Received: m.received, Body: n.Log.Pack(m.payload),
	}}
	return it, "", ""
}

func reasonOf(m message, err error) (Reason, string) {
	switch {
	case errors.Is(err, wire.ErrTooLarge):
		return TooLarge, err.Error()
	case errors.Is(err, wire.ErrForeign):
		return Foreign, err.Error()
	case errors.Is(err, wire.ErrSignature):
		// Another gateway's batch, whole: the second line says whose.
		if lines := bytes.SplitN(m.payload, []byte("\n"), 3); len(lines) == 3 && string(lines[1]) != m.gateway && wire.ValidGatewayID(string(lines[1])) {
			return Foreign, fmt.Sprintf("a batch that names gateway %s", lines[1])
		}
		return BadSignature, err.Error()
	}
	return Malformed, err.Error()
}

// status takes what a gateway says of itself. The broker's last will says offline for it.
func (n *Ingest) status(m message) {
	defer n.settle(m)
	if g := n.Registry.member(m.gateway); g == nil {
		n.note(m, UnknownGateway, "a status message")
		return
	}
	if len(m.payload) == 0 {
		return // a retained status was cleared
	}
	s, err := wire.ParseStatus(m.payload)
	if err != nil {
		why, detail := reasonOf(m, err)
		n.note(m, why, detail)
		return
	}
	if s.State == wire.Online && n.Online != nil {
		n.Online(m.gateway)
	}
	n.Notebook.State(State{Gateway: m.gateway, State: s.State, Time: m.received})
	if before, ok := n.said.Swap(m.gateway, s.State); ok && before == s.State {
		return // it says so every few minutes
	}
	n.Logger.Info("gateway says", slog.String("gateway", m.gateway), slog.String("state", s.State))
}

package ledger_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"aovuon/server/ledger"
	"aovuon/server/parttest"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

func noon() time.Time { return time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC) }

// bench is a ledger on a real database, with its key.
type bench struct {
	t      *testing.T
	config sqldb.Config
	db     *sqldb.DB
	signer note.Signer
	vkey   string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, "htx-thu/ledger")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	c := sqldbtest.Fresh(t)
	return &bench{t: t, config: c, db: sqldbtest.Open(t, c), signer: signer, vkey: vkey}
}

func (b *bench) publisher() *ledger.Publisher {
	b.t.Helper()
	p, err := ledger.NewPublisher(ledger.PublisherOptions{
		Tree: b.db, Signer: b.signer, VKey: b.vkey, Every: time.Hour, Now: noon, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

func (b *bench) enter(n int) {
	b.t.Helper()
	size, err := b.db.LedgerSize(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for i := range n {
		e := ledger.Entry{Kind: ledger.Changed, Subject: fmt.Sprintf("row/%d", size+int64(i)), Body: []byte("{}"), By: ledger.By{Actor: ledger.Server, At: noon()}}
		if _, err := b.db.Enter(b.t.Context(), e); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *bench) head(p *ledger.Publisher) (ledger.Head, []byte) {
	b.t.Helper()
	raw, err := b.db.Checkpoint(b.t.Context(), 0)
	if err != nil {
		b.t.Fatal(err)
	}
	h, _, err := ledger.OpenHead(raw, p.Verifier())
	if err != nil {
		b.t.Fatal(err)
	}
	return h, raw
}

// tamper changes the file as somebody with the machine could.
func (b *bench) tamper(query string) {
	b.t.Helper()
	sqldbtest.Tamper(b.t, b.config, query)
}

func TestPublisher_SignsWhatGrows(t *testing.T) {
	b := newBench(t)
	p := b.publisher()
	if err := p.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	first, _ := b.head(p)
	if first.Size != 1 || first.Origin != "htx-thu/ledger" { // its own key
		t.Fatalf("first head %+v", first)
	}
	b.enter(300)
	if err := p.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	second, raw := b.head(p)
	if second.Size != 301 {
		t.Fatalf("second head %+v", second)
	}
	proof, err := tlog.ProveTree(second.Size, first.Size, b.db.LedgerHashes(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckTree(proof, second.Size, second.Root, first.Size, first.Root); err != nil {
		t.Error(err)
	}
	again := b.publisher() // a restart signs nothing anew and says nothing again
	if err := again.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	if third, same := b.head(again); third != second || !bytes.Equal(same, raw) {
		t.Errorf("after a restart %+v", third)
	}
}

func TestPublisher_NeverSignsARewrittenTree(t *testing.T) {
	for name, tamper := range map[string]func(b *bench){
		"a hash is another": func(b *bench) {
			b.tamper(`UPDATE ledger_hash SET hash = x'00000000000000000000000000000000000000000000000000000000000000ff' WHERE idx = (SELECT MAX(idx) FROM ledger_hash)`)
		},
		"the end is cut off": func(b *bench) {
			b.tamper(`UPDATE ledger_end SET size = 5`)
			b.tamper(`DELETE FROM ledger_leaf WHERE n >= 5`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.enter(8)
			if err := b.publisher().Step(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, before := b.head(b.publisher())
			tamper(b)
			p := b.publisher()
			if err := p.Step(t.Context()); !errors.Is(err, ledger.ErrRewritten) {
				t.Fatalf("step: %v, want %v", err, ledger.ErrRewritten)
			}
			if _, after := b.head(p); !bytes.Equal(before, after) {
				t.Error("another head was signed")
			}
			ctx, stop := context.WithCancel(t.Context())
			ran := make(chan error, 1)
			go func() { ran <- p.Run(ctx) }()
			parttest.Await(t, "the fault is said", func() bool { return errors.Is(p.Fault(), ledger.ErrRewritten) })
			stop()
			if err := <-ran; err != nil {
				t.Errorf("run %v", err)
			}
		})
	}
}

func TestProof_EveryFlippedBitIsRefused(t *testing.T) {
	b := newBench(t)
	b.enter(20)
	p := b.publisher()
	if err := p.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	h, checkpoint := b.head(p)
	leaves, err := b.db.LedgerLeaves(t.Context(), 0, h.Size)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := ledger.Prove(13, leaves[13], checkpoint, h, b.db.LedgerHashes(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	got, err := ledger.CheckProof(raw, p.Verifier())
	if err != nil || got.Index != 13 || got.Head != h || !bytes.Equal(got.Leaf.Bytes(), leaves[13]) {
		t.Fatalf("the good proof: %+v, %v", got, err)
	}
	for i := range raw {
		for bit := range 8 {
			bad := bytes.Clone(raw)
			bad[i] ^= 1 << bit
			if _, err := ledger.CheckProof(bad, p.Verifier()); err == nil {
				t.Fatalf("byte %d (%q), bit %d flipped: taken", i, raw[i], bit)
			}
		}
	}
	for cut := range raw {
		if _, err := ledger.CheckProof(raw[:cut], p.Verifier()); err == nil {
			t.Fatalf("cut at %d: taken", cut)
		}
	}
	other := newBench(t)
	if _, err := ledger.CheckProof(raw, other.publisher().Verifier()); err == nil {
		t.Error("taken by the key of another log")
	}
}

func TestEnterDay_OnceADay(t *testing.T) {
	c := &chains{found: map[string]int{}}
	for _, at := range []time.Time{noon(), noon().Add(time.Hour), noon().Add(12 * time.Hour), noon().Add(13 * time.Hour)} { // midnight is at 17:00 UTC
		if err := ledger.EnterDay(t.Context(), c, at); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(c.entered) != "[2026-11-24 2026-11-25]" {
		t.Errorf("entered %v", c.entered)
	}
}

type chains struct {
	found   map[string]int
	entered []string
}

func (c *chains) ChainHeads(context.Context) ([]ledger.ChainHead, error) {
	return []ledger.ChainHead{{Gateway: "gw", Epoch: "0123456789abcdef", Seq: 7, Hash: []byte{1}}}, nil
}

func (c *chains) LedgerFind(_ context.Context, subject string, _ ledger.Kind) ([]int64, error) {
	return make([]int64, c.found[subject]), nil
}

func (c *chains) Enter(_ context.Context, e ledger.Entry) (bool, error) {
	c.found[e.Subject]++
	c.entered = append(c.entered, e.Subject)
	return true, nil
}

func FuzzCheckProof(f *testing.F) {
	_, vkey, err := note.GenerateKey(rand.Reader, "fuzz/ledger")
	if err != nil {
		f.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("c2sp.org/tlog-proof@v1\nextra YQ==\nindex 1\n\nfuzz/ledger\n2\nYQ==\n\n— fuzz/ledger AAAA\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := ledger.CheckProof(raw, v); err == nil {
			t.Error("a proof that nobody signed was taken")
		}
	})
}

// A head that opens is written in the one form there is.
func FuzzParseHead(f *testing.F) {
	f.Add("htx/ledger\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
	f.Add("htx/ledger\n07\nAAAA\n")
	f.Add("\n-1\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ledger.ParseHead(text)
		if err == nil && (h.Size < 0 || h.Origin == "" || !strings.HasPrefix(text, h.Origin+"\n")) {
			t.Errorf("%q is read as %+v", text, h)
		}
		if err != nil && !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

package web_test

import (
	"net/url"
	"testing"

	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/tlog"

	"aovuon/server/web"
)

// TestLedger_IsReadByTessera has a client that nobody here wrote read the log: it checks every tile, and makes a proof from them.
func TestLedger_IsReadByTessera(t *testing.T) {
	db, p := newLedger(t, 700)
	s := newSources(t)
	s.ledger, s.logKey = db, web.LogKey{VKey: p.VKey(), Verifier: p.Verifier()}
	root, err := url.Parse(s.pages(t).URL + "/ledger/")
	if err != nil {
		t.Fatal(err)
	}
	fetch, err := client.NewHTTPFetcher(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	hash := func(bundle []byte) ([][]byte, error) {
		var b api.EntryBundle
		if err := b.UnmarshalText(bundle); err != nil {
			return nil, err
		}
		var out [][]byte
		for _, e := range b.Entries {
			h := tlog.RecordHash(e)
			out = append(out, h[:])
		}
		return out, nil
	}
	if err := fsck.New(p.Verifier().Name(), p.Verifier(), fetch, hash, fsck.Opts{N: 2}).Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	head, _, _, err := client.FetchCheckpoint(t.Context(), fetch.ReadCheckpoint, p.Verifier(), p.Verifier().Name())
	if err != nil || head.Size != 700 {
		t.Fatalf("%+v, %v", head, err)
	}
	builder, err := client.NewProofBuilder(t.Context(), head.Size, fetch.ReadTile)
	if err != nil {
		t.Fatal(err)
	}
	path, err := builder.InclusionProof(t.Context(), 333)
	if err != nil {
		t.Fatal(err)
	}
	leaves, err := db.LedgerLeaves(t.Context(), 333, 334)
	if err != nil {
		t.Fatal(err)
	}
	proof := make(tlog.RecordProof, len(path))
	for i, h := range path {
		copy(proof[i][:], h)
	}
	if err := tlog.CheckRecord(proof, int64(head.Size), tlog.Hash(head.Hash), 333, tlog.RecordHash(leaves[0])); err != nil {
		t.Error(err)
	}
}

package audit

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"aovuon/gateway/wire"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// BundleReport is what a bundle comes to.
type BundleReport struct {
	Seal     trace.Seal
	Lot      trace.Lot
	Verdict  ledger.Verdict // of the seal's proof
	Release  *flow.Release  // nil: the lot was not released yet
	Released ledger.Verdict // of its proof
	Serials  int            // that were issued up to the release
	Batches  int64
	Readings int64
	Unsigned []string // sources that cannot sign: their batches are sealed with keys that the server held
	Findings []Finding
}

// maxBundleFile bounds one file of a bundle, unpacked.
const maxBundleFile int64 = 4 << 30

// CheckBundle checks a bundle against a policy, with no server: the proofs, what was recorded, the signature and the chain of every batch, and the
// evidence computed again. dir is an empty folder to work in.
func CheckBundle(ctx context.Context, z *zip.Reader, p *ledger.Policy, dir string) (r *BundleReport, err error) {
	u := &unbundler{zip: z, policy: p}
	var f farm.Farm
	seal, err := u.leaf("seal", ledger.LotSealed, &u.report.Seal)
	if err != nil {
		return nil, err
	}
	u.report.Verdict = seal
	if _, err := u.leaf("farm", ledger.FarmSaved, &f); err != nil {
		return nil, err
	}
	lot, err := u.leaf("lot", ledger.LotSaved, &u.report.Lot)
	if err != nil {
		return nil, err
	}
	if u.report.Seal.Lot != seal.Leaf.Subject || lot.Leaf.Subject != seal.Leaf.Subject {
		return nil, fmt.Errorf("audit: bundle: the seal is of %s, the lot is %s", seal.Leaf.Subject, lot.Leaf.Subject)
	}
	if err := u.release(seal); err != nil {
		return nil, err
	}
	w := &workshop{dir: dir}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.open(ctx, &f); err != nil {
		return nil, err
	}
	var position int64
	for _, c := range u.report.Seal.Chains {
		rows, err := u.chain(c, &position)
		if err != nil {
			return nil, err
		}
		if err := w.take(ctx, rows); err != nil {
			return nil, err
		}
	}
	f.Unsigned = u.report.Unsigned
	rows, err := trace.Weigh(ctx, &f, w.history, u.report.Lot, u.report.Seal.Weighed)
	if err != nil {
		return nil, fmt.Errorf("audit: bundle: %w", err)
	}
	same, err := trace.SameEvidence(u.report.Seal.Evidence, rows)
	if err != nil {
		return nil, fmt.Errorf("audit: bundle: %w", err)
	}
	if !same {
		u.find("evidence", "the batches come to other evidence"+firstDifference(u.report.Seal.Evidence, rows))
	}
	return &u.report, nil
}

type unbundler struct {
	zip    *zip.Reader
	policy *ledger.Policy
	report BundleReport
}

func (u *unbundler) find(where, what string) {
	u.report.Findings = append(u.report.Findings, Finding{Where: where, What: what})
}

func (u *unbundler) read(name string) (raw []byte, err error) {
	f, err := u.zip.Open(name)
	if err != nil {
		return nil, fmt.Errorf("audit: bundle: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	raw, err = io.ReadAll(io.LimitReader(f, maxBundleFile+1))
	if err == nil && int64(len(raw)) > maxBundleFile {
		err = errors.New("too long")
	}
	if err != nil {
		return nil, fmt.Errorf("audit: bundle: %s: %w", name, err)
	}
	return raw, nil
}

// leaf checks a proof and its body, and decodes that.
func (u *unbundler) leaf(name string, kind ledger.Kind, into any) (ledger.Verdict, error) {
	proof, err := u.read(name + proofSuffix)
	if err != nil {
		return ledger.Verdict{}, err
	}
	v, err := u.policy.Check(proof)
	if err != nil {
		return v, fmt.Errorf("audit: bundle: %s%s: not proven: %w", name, proofSuffix, err)
	}
	raw, err := u.read(name + bodySuffix)
	if err != nil {
		return v, err
	}
	var b struct{ Salt, Body string }
	if err := json.Unmarshal(raw, &b); err != nil {
		return v, fmt.Errorf("audit: bundle: %s%s: %w", name, bodySuffix, err)
	}
	salt, errS := base64.StdEncoding.DecodeString(b.Salt)
	body, errB := base64.StdEncoding.DecodeString(b.Body)
	switch {
	case errS != nil || errB != nil:
		return v, fmt.Errorf("audit: bundle: %s%s: %w", name, bodySuffix, errors.Join(errS, errB))
	case v.Leaf.Kind != kind:
		return v, fmt.Errorf("audit: bundle: %s%s is of a %s, want a %s", name, proofSuffix, v.Leaf.Kind, kind)
	case v.Leaf.Content != ledger.ContentHash(salt, body), !bytes.Equal(raw, bodyText(salt, body)):
		return v, fmt.Errorf("audit: bundle: %s%s is not what was recorded", name, bodySuffix)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return v, fmt.Errorf("audit: bundle: %s%s: %w", name, bodySuffix, err)
	}
	return v, nil
}

// keys reads the key that a gateway was enrolled with, and those that followed it.
func (u *unbundler) keys(gateway string) (*keyring, error) {
	ring := &keyring{}
	var last int64
	for n, kind := 1, ledger.GatewayEnrolled; ; n, kind = n+1, ledger.GatewayRekeyed {
		name := keyName(gateway, n)
		if _, err := fs.Stat(u.zip, name+proofSuffix); n > 1 && errors.Is(err, fs.ErrNotExist) {
			return ring, nil
		}
		var said keyLeaf
		v, err := u.leaf(name, kind, &said)
		if err != nil {
			return nil, err
		}
		key, err := said.verifier(gateway)
		if err == nil && v.Leaf.Subject != gateway {
			err = errors.New("its leaf is about another gateway")
		}
		if err != nil {
			return nil, fmt.Errorf("audit: bundle: the key of gateway %s cannot be read: %w", gateway, err)
		}
		if n > 1 {
			if err = said.follows(ring); err == nil && v.Index <= last {
				err = errors.New("has a key that was recorded before the one that it follows")
			}
			if err != nil {
				return nil, fmt.Errorf("audit: bundle: gateway %s %w", gateway, err)
			}
		}
		if n == 1 {
			ring.kind = said.Kind
		}
		ring.keys, ring.vkey, last = append(ring.keys, key), said.VKey, v.Index
	}
}

// chain checks the batches of one chain: each signed by a key of the gateway, each naming the one before it, the last the sealed head.
func (u *unbundler) chain(head ledger.ChainHead, position *int64) ([]sealed, error) {
	ring, err := u.keys(head.Gateway)
	if err != nil {
		return nil, err
	}
	if ring.kind != "" && !slices.Contains(u.report.Unsigned, head.Gateway) {
		u.report.Unsigned = append(u.report.Unsigned, head.Gateway)
	}
	name := batchFolder + head.Gateway + "." + head.Epoch
	raw, err := u.read(name)
	if err != nil {
		return nil, err
	}
	list, err := splitBatches(raw)
	if err != nil {
		return nil, fmt.Errorf("audit: bundle: %s: %w", name, err)
	}
	var rows []sealed
	var last wire.Hash
	for i, text := range list {
		b, err := ring.open(text)
		if err != nil {
			return nil, fmt.Errorf("audit: bundle: %s: batch %d: %w", name, i+1, err)
		}
		if i > 0 && (b.Prev != last || b.Seq != rows[i-1].batch.Seq+1) || b.Epoch != head.Epoch {
			return nil, fmt.Errorf("audit: bundle: %s: batch %d is not the next of its chain", name, b.Seq)
		}
		*position++
		last = wire.HashOf(text)
		rows = append(rows, sealed{position: *position, batch: b})
		u.report.Batches++
		u.report.Readings += int64(len(b.Readings))
	}
	if len(rows) > 0 && (!bytes.Equal(last[:], head.Hash) || rows[len(rows)-1].batch.Seq != head.Seq) {
		return nil, fmt.Errorf("audit: bundle: %s: its last batch is not number %d that was sealed", name, head.Seq)
	}
	return rows, nil
}

// IsBundle reports whether a file's name is that of a bundle.
func IsBundle(name string) bool { return strings.HasSuffix(name, ".zip") }

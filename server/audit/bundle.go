package audit

import (
	"archive/zip"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// ErrNoSeal says that a lot is not known, not sealed yet, or that its seal is not signed yet.
var ErrNoSeal = errors.New("the lot is unknown, or not sealed yet")

// The files of a bundle, see FORMAT.md.
const (
	bundleReadMe = "README.txt"
	bundleKey    = "ledger.vkey"
	proofSuffix  = ".tlog-proof"
	bodySuffix   = ".json"
	batchFolder  = "batches/"
	releaseName  = "release"
)

const bundleText = `Evidence of one lot: what was measured while it grew, as it was sealed in the co-op's ledger, and the batches that the
gateways signed. Where a gateway's leaf names a kind (intake, import) its devices cannot sign: the server sealed what it was told, and the
evidence counts those readings as Unsigned. It is checked with no server and no network:

  server verify THIS.zip --policy policy.txt

policy.txt names the ledger that is believed ("log KEY" and "quorum none", each a line). Take the key from the co-op's papers; the one in
ledger.vkey is as good as this file.
`

// WriteBundle writes the evidence of the lot of a Digital Link path as a zip: FORMAT.md. vkey is the log's public key.
func WriteBundle(ctx context.Context, db *sqldb.DB, path, vkey string, w io.Writer) error {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return fmt.Errorf("audit: bundle: %w", err)
	}
	b := &bundler{ctx: ctx, db: db, zip: zip.NewWriter(w)}
	if b.checkpoint, err = db.Checkpoint(ctx, 0); err != nil {
		return err
	}
	if b.checkpoint == nil {
		return fmt.Errorf("audit: bundle: %w", ErrNoSeal)
	}
	if b.head, _, err = ledger.OpenHead(b.checkpoint, v); err != nil {
		return err
	}
	if err := b.write(path, vkey); err != nil {
		return fmt.Errorf("audit: bundle of %s: %w", path, err)
	}
	if err := b.zip.Close(); err != nil {
		return fmt.Errorf("audit: bundle of %s: %w", path, err)
	}
	return nil
}

type bundler struct {
	ctx        context.Context //nolint:containedctx // of one call
	db         *sqldb.DB
	zip        *zip.Writer
	checkpoint []byte
	head       ledger.Head
	modified   time.Time // of every file: when the newest record in it was made
}

func (b *bundler) write(path, vkey string) error {
	seals, err := b.db.LedgerFind(b.ctx, path, ledger.LotSealed)
	seals = slices.DeleteFunc(seals, func(n int64) bool { return n >= b.head.Size })
	if err != nil || len(seals) == 0 {
		return errors.Join(ErrNoSeal, err)
	}
	releases, err := b.db.LedgerFind(b.ctx, path, ledger.LotReleased)
	if err != nil {
		return err
	}
	releases = slices.DeleteFunc(releases, func(n int64) bool { return n >= b.head.Size })
	at := seals[len(seals)-1]
	if b.modified, err = b.recorded(slices.Max(append(releases, at))); err != nil {
		return err
	}
	var seal trace.Seal
	var lot trace.Lot
	if err := b.leaf("seal", at, &seal); err != nil {
		return err
	}
	if err := b.before("lot", at, ledger.LotSaved, path, &lot); err != nil {
		return err
	}
	if err := b.before("farm", at, ledger.FarmSaved, "farm", nil); err != nil {
		return err
	}
	for i, c := range seal.Chains {
		if slices.ContainsFunc(seal.Chains[:i], func(h ledger.ChainHead) bool { return h.Gateway == c.Gateway }) {
			continue // one gateway may have several chains
		}
		if err := b.keys(c.Gateway, at); err != nil {
			return err
		}
	}
	if len(releases) > 0 { // otherwise not released, or not signed yet: the evidence stands for itself
		if err := b.release(releases[len(releases)-1]); err != nil {
			return err
		}
	}
	if err := errors.Join(b.file(bundleReadMe, []byte(bundleText)), b.file(bundleKey, []byte(vkey+"\n"))); err != nil {
		return err
	}
	return b.batches(seal, lot)
}

// recorded is when leaf n was recorded, in the co-op's time: programs that unpack show the hour as it stands.
func (b *bundler) recorded(n int64) (time.Time, error) {
	leaves, err := b.db.LedgerLeaves(b.ctx, n, n+1)
	if err != nil || len(leaves) == 0 {
		return time.Time{}, errors.Join(ledger.ErrNoLeaf, err)
	}
	l, err := ledger.ParseLeaf(leaves[0])
	return l.Time.In(farm.Time()), err
}

// release writes a release of the lot, the runs of serials it tells of, and the seal it names where that is not the one already there.
func (b *bundler) release(n int64) error {
	var r flow.Release
	if err := b.leaf(releaseName, n, &r); err != nil {
		return err
	}
	if r.Seal != nil {
		if err := b.leaf(releaseName+"-seal", r.Seal.Leaf, nil); err != nil {
			return err
		}
	}
	for _, run := range runsOf(r) {
		found, err := b.db.LedgerFind(b.ctx, run, ledger.LabelsIssued)
		if err != nil || len(found) == 0 {
			return errors.Join(fmt.Errorf("no labels of run %s were recorded", run), err)
		}
		if err := b.leaf(labelsName(run), found[0], nil); err != nil {
			return err
		}
	}
	return nil
}

// runsOf returns the runs of serials that a release tells of.
func runsOf(r flow.Release) (out []string) {
	for _, l := range r.Account.Packed {
		if l.Kind == flow.LinePacked && l.Serials {
			out = append(out, l.Event)
		}
	}
	return out
}

func labelsName(run string) string { return "labels-" + run }

func (b *bundler) create(name string) (io.Writer, error) {
	return b.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: b.modified})
}

func (b *bundler) file(name string, body []byte) error {
	w, err := b.create(name)
	if err != nil {
		return err
	}
	_, err = w.Write(body)
	return err
}

// before writes the newest leaf of a kind and subject that had been recorded when leaf n was.
func (b *bundler) before(name string, n int64, kind ledger.Kind, subject string, into any) error {
	list, err := b.db.LedgerFind(b.ctx, subject, kind)
	list = slices.DeleteFunc(list, func(x int64) bool { return x >= n })
	if err != nil || len(list) == 0 {
		return errors.Join(fmt.Errorf("no %s %s had been recorded before leaf %d", kind, subject, n), err)
	}
	return b.leaf(name, list[len(list)-1], into)
}

// keyName is the name of the files of a gateway's n-th key, from 1.
func keyName(gateway string, n int) string {
	if n == 1 {
		return "gateway-" + gateway
	}
	return fmt.Sprintf("gateway-%s/%d", gateway, n)
}

// keys writes the key that a gateway was enrolled with, and those that had followed it when leaf n was recorded.
func (b *bundler) keys(gateway string, n int64) error {
	if err := b.before(keyName(gateway, 1), n, ledger.GatewayEnrolled, gateway, nil); err != nil {
		return err
	}
	list, err := b.db.LedgerFind(b.ctx, gateway, ledger.GatewayRekeyed)
	if err != nil {
		return err
	}
	for i, at := range list {
		if at >= n {
			return nil
		}
		if err := b.leaf(keyName(gateway, i+2), at, nil); err != nil {
			return err
		}
	}
	return nil
}

// leaf writes the proof of leaf n and what it is the hash of.
func (b *bundler) leaf(name string, n int64, into any) error {
	leaves, err := b.db.LedgerLeaves(b.ctx, n, n+1)
	if err != nil || len(leaves) == 0 {
		return errors.Join(ledger.ErrNoLeaf, err)
	}
	proof, err := ledger.Prove(n, leaves[0], b.checkpoint, b.head, b.db.LedgerHashes(b.ctx))
	if err != nil {
		return err
	}
	salt, body, err := b.db.LedgerBody(b.ctx, n)
	if err != nil {
		return err
	}
	if salt == nil {
		return fmt.Errorf("the body of leaf %d (%s) was erased", n, name)
	}
	if err := errors.Join(b.file(name+proofSuffix, proof), b.file(name+bodySuffix, bodyText(salt, body))); err != nil {
		return err
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

// bodyText is what /ledger/body/<n> answers.
func bodyText(salt, body []byte) []byte {
	return fmt.Appendf(nil, `{"salt":"%s","body":"%s"}`, base64.StdEncoding.EncodeToString(salt), base64.StdEncoding.EncodeToString(body))
}

// batches writes, for each chain of the seal, the batches from the first that can tell of the lot's time up to the sealed head.
func (b *bundler) batches(seal trace.Seal, lot trace.Lot) error {
	for _, c := range seal.Chains {
		w, err := b.create(batchFolder + c.Gateway + "." + c.Epoch)
		if err != nil {
			return err
		}
		begun := false
		for from := int64(1); from <= seal.Position; from += tileWidth {
			list, err := b.db.SealedBatches(b.ctx, from, min(from+tileWidth, seal.Position+1))
			if err != nil {
				return err
			}
			for _, raw := range list {
				batch, err := wire.OpenUnverified(raw)
				if err != nil {
					return err
				}
				if batch.Gateway != c.Gateway || batch.Epoch != c.Epoch {
					continue
				}
				if begun = begun || tells(batch, lot); !begun {
					continue
				}
				if _, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(raw))), raw...)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// tells reports whether a batch can hold something of the lot's time: a reading of it or after it, or one that nothing in it dates.
func tells(b *wire.Batch, l trace.Lot) bool {
	for _, r := range b.Readings {
		if r.Time.Wall.IsZero() || !r.Time.Wall.Before(l.Stocked) {
			return true
		}
	}
	return false
}

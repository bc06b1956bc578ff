package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"aovuon/server/ledger"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// release checks the release of the lot: its proof, that its account adds up, the seal it stood on, and that the serials of each run are as many
// as it tells of. A lot that was not released has none.
func (u *unbundler) release(sealed ledger.Verdict) error {
	_, errP := fs.Stat(u.zip, releaseName+proofSuffix)
	_, errB := fs.Stat(u.zip, releaseName+bodySuffix)
	_, errS := fs.Stat(u.zip, releaseName+"-seal"+proofSuffix)
	if errors.Is(errP, fs.ErrNotExist) && errors.Is(errB, fs.ErrNotExist) && errors.Is(errS, fs.ErrNotExist) {
		return nil
	}
	var r flow.Release
	v, err := u.leaf(releaseName, ledger.LotReleased, &r)
	if err != nil {
		return err
	}
	if v.Leaf.Subject != sealed.Leaf.Subject || r.Lot != v.Leaf.Subject {
		return fmt.Errorf("audit: bundle: the seal is of %s, the release of %s", sealed.Leaf.Subject, v.Leaf.Subject)
	}
	u.report.Release, u.report.Released = &r, v
	var seal *trace.Seal
	if r.Seal != nil {
		seal = &trace.Seal{}
		stood, err := u.leaf(releaseName+"-seal", ledger.LotSealed, seal)
		if err != nil {
			return err
		}
		if hash := stood.Leaf.Hash(); stood.Index != r.Seal.Leaf || !bytes.Equal(hash[:], r.Seal.Hash) || stood.Leaf.Subject != v.Leaf.Subject {
			return fmt.Errorf("audit: bundle: the release stands on leaf %d, its seal here is leaf %d", r.Seal.Leaf, stood.Index)
		}
	}
	for _, s := range append(r.Events, r.Lots...) {
		if s.Leaf < 0 || s.Leaf >= v.Index {
			u.find("release", fmt.Sprintf("names leaf %d, which is none before it", s.Leaf))
		}
	}
	for _, fault := range r.Check(seal) {
		u.find("release", fault)
	}
	return u.serials(r)
}

// serials checks the runs of serials that a release tells of.
func (u *unbundler) serials(r flow.Release) error {
	for _, line := range r.Account.Packed {
		if line.Kind != flow.LinePacked || !line.Serials {
			continue
		}
		var l flow.Labels
		v, err := u.leaf(labelsName(line.Event), ledger.LabelsIssued, &l)
		if err != nil {
			return err
		}
		if v.Leaf.Subject != line.Event || l.Run != line.Event || l.Lot != r.Lot || l.Count != line.Count {
			u.find("labels", fmt.Sprintf("run %s has %d serials, the release tells of %d packs of run %s", l.Run, l.Count, line.Count, line.Event))
		}
		u.report.Serials += l.Count
	}
	return nil
}

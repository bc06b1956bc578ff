package update

import (
	"context"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
)

// Look does one step.
func (u *Updater) Look(ctx context.Context) wire.ProgramReport { return u.look(ctx) }

// Install puts a program that came into its place.
func (s *Store) Install(manifest []byte, r wire.Release) error { return s.install(manifest, r) }

// PartFile is where it gathers.
func (s *Store) PartFile(r wire.Release) string { return s.partFile(r) }

// Begin begins a trial.
func (s *Store) Begin(self Self, t TrialState) error { return s.begin(self, t) }

// CheckAll is Check of every version.
func (s *Store) CheckAll(keys []note.Verifier, versions ...wire.Version) (good []wire.Version) {
	for _, v := range versions {
		if _, err := s.Check(v, keys); err == nil {
			good = append(good, v)
		}
	}
	return good
}

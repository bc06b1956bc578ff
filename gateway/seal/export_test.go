package seal

import "context"

// Commit writes what was taken to the store and seals nothing.
func (s *Sealer) Commit(ctx context.Context) error { return s.commit(ctx) }

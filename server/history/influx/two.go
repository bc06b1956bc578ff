package influx

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"

	"aovuon/server/history"
)

// What follows is InfluxDB 2.x's own: organisations, buckets, and the mapping of InfluxQL's databases and retention policies (DBRP) to buckets.

// implied is the retention policy of a mapping without a generation, as 1.8 names its first.
const implied = "autogen"

type mapping struct {
	ID       string `json:"id"`
	Database string `json:"database"`
	Policy   string `json:"retention_policy"`
	Bucket   string `json:"bucketID"`
	Default  bool   `json:"default"`
	Virtual  bool   `json:"virtual"` // 2.x makes it up from the name of the bucket; it loses its say where a real one is
}

func (s *Store) setupTwo(ctx context.Context) (made []string, err error) {
	org, err := s.org(ctx)
	if err != nil {
		return nil, err
	}
	bucket, ok, err := s.findBucket(ctx, org)
	if err != nil {
		return nil, err
	}
	if !ok {
		if bucket, err = s.createBucket(ctx, org); err != nil {
			return nil, err
		}
		made = append(made, fmt.Sprintf("bucket %q, kept for ever", s.bucket()))
	}
	mappings, err := s.mappings(ctx, org)
	if err != nil {
		return made, err
	}
	own, ready, err := s.ownMapping(mappings, bucket)
	if err != nil || ready {
		return made, err
	}
	name := s.opts.Policy
	if name == "" {
		name = implied
	}
	if own != "" {
		err = s.makeDefault(ctx, org, own)
	} else {
		_, err = s.call(ctx, http.MethodPost, "/api/v2/dbrps", nil, map[string]any{
			"orgID": org, "bucketID": bucket, "database": s.opts.Database, "retention_policy": name, "default": s.opts.Policy == "",
		}, nil)
	}
	if err != nil {
		return made, fmt.Errorf("map database %q to the bucket: %w", s.opts.Database, err)
	}
	return append(made, fmt.Sprintf("DBRP mapping of database %q, retention policy %q, to bucket %q", s.opts.Database, name, s.bucket())), nil
}

// ownMapping looks for the mapping that leads to the bucket; ready says that nothing has to be done, own is one that has to become the default.
func (s *Store) ownMapping(mappings []mapping, bucket string) (own string, ready bool, err error) {
	for _, m := range mappings {
		switch {
		case s.opts.Policy != "" && m.Policy != s.opts.Policy:
		case m.Bucket == bucket && (m.Default || s.opts.Policy != ""):
			return "", true, nil
		case m.Bucket == bucket:
			own = m.ID
		case s.opts.Policy != "", m.Default && !generation.MatchString(m.Policy):
			return "", false, fmt.Errorf("%w: the DBRP mapping %s of database %q and retention policy %q leads to another bucket: delete it (influx v1 dbrp delete), or name another history.database",
				history.ErrConfiguration, m.ID, m.Database, m.Policy)
		}
	}
	return own, false, nil
}

// generation is how retention policies are named that this program made: a database put back from an older copy may find a later one the default.
var generation = regexp.MustCompile(`^g[0-9]+$`)

func (s *Store) makeDefault(ctx context.Context, org, id string) error {
	_, err := s.call(ctx, http.MethodPatch, "/api/v2/dbrps/"+url.PathEscape(id), url.Values{"orgID": {org}}, map[string]any{"default": true}, nil)
	return err
}

func (s *Store) promoteTwo(ctx context.Context) error {
	org, err := s.org(ctx)
	if err != nil {
		return err
	}
	mappings, err := s.mappings(ctx, org)
	if err != nil {
		return err
	}
	for _, m := range mappings {
		if m.Policy == s.opts.Policy {
			return s.makeDefault(ctx, org, m.ID)
		}
	}
	return fmt.Errorf("%w: no DBRP mapping of database %q and retention policy %q: `server history setup` makes it", history.ErrConfiguration, s.opts.Database, s.opts.Policy)
}

// dropTwo removes the mappings that lead to the bucket, and then the bucket.
func (s *Store) dropTwo(ctx context.Context) error {
	org, err := s.org(ctx)
	if err != nil {
		return err
	}
	bucket, ok, err := s.findBucket(ctx, org)
	if err != nil || !ok {
		return err
	}
	mappings, err := s.mappings(ctx, org)
	if err != nil {
		return err
	}
	for _, m := range mappings {
		if m.Bucket != bucket {
			continue
		}
		_, err := s.call(ctx, http.MethodDelete, "/api/v2/dbrps/"+url.PathEscape(m.ID), url.Values{"orgID": {org}}, nil, nil)
		if err != nil && !answered(err, http.StatusNotFound) {
			return err
		}
	}
	_, err = s.call(ctx, http.MethodDelete, "/api/v2/buckets/"+url.PathEscape(bucket), nil, nil, nil)
	return err
}

// org finds the id of the organisation.
func (s *Store) org(ctx context.Context) (string, error) {
	if s.opts.Org == "" {
		return "", fmt.Errorf("%w: InfluxDB 2.x wants to know the organisation: set history.org", history.ErrConfiguration)
	}
	var answer struct {
		Orgs []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"orgs"`
	}
	_, err := s.call(ctx, http.MethodGet, "/api/v2/orgs", url.Values{"org": {s.opts.Org}}, nil, &answer)
	if err != nil && !answered(err, http.StatusNotFound) {
		return "", fmt.Errorf("organisation %q: %w", s.opts.Org, err)
	}
	for _, o := range answer.Orgs {
		if o.Name == s.opts.Org {
			return o.ID, nil
		}
	}
	return "", fmt.Errorf("%w: no organisation %q, or the token may not see it: set history.org as InfluxDB names it", history.ErrConfiguration, s.opts.Org)
}

func (s *Store) findBucket(ctx context.Context, org string) (id string, ok bool, err error) {
	var answer struct {
		Buckets []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"buckets"`
	}
	_, err = s.call(ctx, http.MethodGet, "/api/v2/buckets", url.Values{"orgID": {org}, "name": {s.bucket()}}, nil, &answer)
	if answered(err, http.StatusNotFound) { // some versions say so, others answer an empty list
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("bucket %q: %w", s.bucket(), err)
	}
	for _, b := range answer.Buckets {
		if b.Name == s.bucket() {
			return b.ID, true, nil
		}
	}
	return "", false, nil
}

func (s *Store) createBucket(ctx context.Context, org string) (id string, err error) {
	var b struct {
		ID string `json:"id"`
	}
	in := map[string]any{"orgID": org, "name": s.bucket(), "description": "readings of AoVuon", "retentionRules": []any{}}
	if _, err := s.call(ctx, http.MethodPost, "/api/v2/buckets", nil, in, &b); err != nil {
		return "", fmt.Errorf("create bucket %q: %w", s.bucket(), err)
	}
	if b.ID == "" {
		return "", fmt.Errorf("%w: %s makes a bucket without an id: see the url", history.ErrConfiguration, s.opts.URL)
	}
	return b.ID, nil
}

// mappings lists the real mappings of the database.
func (s *Store) mappings(ctx context.Context, org string) (list []mapping, err error) {
	var answer struct {
		Content []mapping `json:"content"`
	}
	if _, err := s.call(ctx, http.MethodGet, "/api/v2/dbrps", url.Values{"orgID": {org}, "db": {s.opts.Database}}, nil, &answer); err != nil {
		return nil, fmt.Errorf("DBRP mappings of database %q: %w", s.opts.Database, err)
	}
	for _, m := range answer.Content {
		if m.Database == s.opts.Database && !m.Virtual {
			list = append(list, m)
		}
	}
	return list, nil
}

package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"aovuon/server/farm"
)

func insertLimits(ctx context.Context, tx *record, f *farm.Farm) error {
	for i, l := range f.Limits {
		offset := sql.NullFloat64{Float64: l.Clear, Valid: l.HasClear}
		_, err := tx.ExecContext(ctx, `INSERT INTO limit_row (profile, quantity, level, above, ordinal, value, source_vi, source_en, what, clear, for_ms, keep_ms, n, m)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			l.Profile, string(l.Quantity), string(l.Level), flag(l.Above), i, l.Value, l.Source.VI, l.Source.EN, string(l.What), offset,
			l.For.Milliseconds(), l.Keep.Milliseconds(), l.N, l.M)
		if err != nil {
			return err
		}
	}
	return nil
}

func readLimits(ctx context.Context, q querier, f *farm.Farm) error {
	return each(ctx, q, func(scan func(...any) error) error {
		var l farm.Limit
		var above, wait, keep int64
		var offset sql.NullFloat64
		err := scan(&l.Profile, &l.Quantity, &l.Level, &above, &l.Value, &l.Source.VI, &l.Source.EN, &l.What, &offset, &wait, &keep, &l.N, &l.M)
		l.Above, l.Clear, l.HasClear = above != 0, offset.Float64, offset.Valid
		l.For, l.Keep = time.Duration(wait)*time.Millisecond, time.Duration(keep)*time.Millisecond
		f.Limits = append(f.Limits, l)
		return err
	}, `SELECT profile, quantity, level, above, value, source_vi, source_en, what, clear, for_ms, keep_ms, n, m FROM limit_row ORDER BY ordinal`)
}

// LimitVersion is a set of limits that held from a time on.
type LimitVersion struct {
	Version int64 // 1, 2, 3 … of its profile
	Since   time.Time
	Limits  []farm.Limit // empty: the profile was taken out
}

// keepLimitVersions adds a version of every profile whose limits are not those of its newest one.
func (r *record) keepLimitVersions(ctx context.Context, f *farm.Farm, at time.Time) error {
	newest, err := newestLimits(ctx, r)
	if err != nil {
		return err
	}
	now := map[string][]farm.Limit{}
	for _, l := range f.Limits {
		now[l.Profile] = append(now[l.Profile], l)
	}
	for profile := range newest {
		if _, there := now[profile]; !there {
			now[profile] = nil
		}
	}
	for profile, limits := range now {
		old, there := newest[profile]
		if there && slices.Equal(old.Limits, limits) {
			continue
		}
		raw, err := json.Marshal(limits)
		if err != nil {
			return err
		}
		_, err = r.ExecContext(ctx, `INSERT INTO limit_version (profile, version, since_ms, body) VALUES ($1, $2, $3, $4)`, profile, old.Version+1, toMillis(at), string(raw))
		if err != nil {
			return err
		}
	}
	return nil
}

func newestLimits(ctx context.Context, q querier) (map[string]LimitVersion, error) {
	out := map[string]LimitVersion{}
	err := eachLimitVersion(ctx, q, func(profile string, v LimitVersion) { out[profile] = v }, `ORDER BY version`)
	return out, err
}

func eachLimitVersion(ctx context.Context, q querier, f func(profile string, v LimitVersion), where string, args ...any) error {
	return each(ctx, q, func(scan func(...any) error) error {
		var profile, body string
		var v LimitVersion
		var since int64
		if err := scan(&profile, &v.Version, &since, &body); err != nil {
			return err
		}
		v.Since = fromMillis(since)
		if err := json.Unmarshal([]byte(body), &v.Limits); err != nil {
			return fmt.Errorf("limits %s %d: %w", profile, v.Version, err)
		}
		f(profile, v)
		return nil
	}, `SELECT profile, version, since_ms, body FROM limit_version `+where, args...)
}

// LimitVersions returns the number of the version of each profile that holds now; a profile of a farm that was saved by a program without
// versions has none.
func (d *DB) LimitVersions(ctx context.Context) (map[string]int64, error) {
	newest, err := newestLimits(ctx, d.read)
	if err != nil {
		return nil, fmt.Errorf("sqldb: versions of limits: %w", err)
	}
	out := make(map[string]int64, len(newest))
	for profile, v := range newest {
		out[profile] = v.Version
	}
	return out, nil
}

// LimitHistory returns every version of a profile, the newest first.
func (d *DB) LimitHistory(ctx context.Context, profile string) (out []LimitVersion, err error) {
	err = eachLimitVersion(ctx, d.read, func(_ string, v LimitVersion) { out = append(out, v) }, `WHERE profile = $1 ORDER BY version DESC`, profile)
	if err != nil {
		return nil, fmt.Errorf("sqldb: history of limits %s: %w", profile, err)
	}
	return out, nil
}

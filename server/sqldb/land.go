package sqldb

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/privacy"
)

// landSaid is who works a place and where exactly it lies, as the ledger says it inside: leaves of kind `change`, whose bodies are not public.
type landSaid struct {
	Place     string       `json:"place"`
	Household string       `json:"household,omitempty"`
	Outline   [][2]float64 `json:"outline,omitempty"` // degrees north and east
}

func landOf(p farm.Place) landSaid {
	l := landSaid{Place: p.Code, Household: p.Household}
	for _, corner := range p.Outline {
		lat, lon := corner.Exact()
		l.Outline = append(l.Outline, [2]float64{lat, lon})
	}
	return l
}

func (l landSaid) empty() bool { return l.Household == "" && len(l.Outline) == 0 }

func (l landSaid) same(o landSaid) bool {
	return l.Place == o.Place && l.Household == o.Household && slices.Equal(l.Outline, o.Outline)
}

// lands returns what is on record of places' land, by place.
func lands(ctx context.Context, q querier) (map[string]landSaid, error) {
	out := map[string]landSaid{}
	return out, each(ctx, q, func(scan func(...any) error) error {
		var l landSaid
		var outline string
		if err := scan(&l.Place, &l.Household, &outline); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(outline), &l.Outline); err != nil {
			return fmt.Errorf("outline of place %s: %w", l.Place, err)
		}
		out[l.Place] = l
		return nil
	}, `SELECT place, household, outline FROM place_land`)
}

// saveLands writes what changed of the land: first what goes, so that its place can go too, then, when the places are there, what comes.
func saveLands(ctx context.Context, r *record, f *farm.Farm, before map[string]landSaid, by ledger.By, going bool) error {
	if going {
		for _, place := range slices.Sorted(maps.Keys(before)) {
			if p, ok := f.Place(place); ok && !landOf(p).empty() {
				continue
			}
			if _, err := r.ExecContext(ctx, `DELETE FROM place_land WHERE place = $1`, place); err != nil {
				return err
			}
			if err := r.sayChange(ctx, changed{Table: landTable, Key: place, Before: before[place]}, by); err != nil {
				return err
			}
		}
		return nil
	}
	for _, p := range f.Places {
		now := landOf(p)
		old, had := before[p.Code]
		if now.empty() || (had && old.same(now)) {
			continue
		}
		outline, err := json.Marshal(now.Outline)
		if err != nil {
			return err
		}
		_, err = r.ExecContext(ctx, `INSERT INTO place_land (place, household, outline) VALUES ($1, $2, $3)
			ON CONFLICT (place) DO UPDATE SET household = excluded.household, outline = excluded.outline`, p.Code, now.Household, string(outline))
		if err != nil {
			return err
		}
		c := changed{Table: landTable, Key: p.Code, After: now}
		if had {
			c.Before = old
		}
		if err := r.sayChange(ctx, c, by); err != nil {
			return err
		}
	}
	return nil
}

// readLands gives the places what is on record of their land.
func readLands(ctx context.Context, q querier, f *farm.Farm) error {
	all, err := lands(ctx, q)
	if err != nil {
		return err
	}
	for i := range f.Places {
		p := &f.Places[i]
		p.Household = all[p.Code].Household
		for _, c := range all[p.Code].Outline {
			corner, err := privacy.NewPoint(c[0], c[1])
			if err != nil {
				return fmt.Errorf("outline of place %s: %w", p.Code, err)
			}
			p.Outline = append(p.Outline, corner)
		}
	}
	return nil
}

package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/project"
)

// toMillis is the inverse of fromMillis: the zero time, an open bound, is 0.
func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// flag is how a truth value is kept: one text of SQL for engines that disagree on booleans.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// SaveFarm makes the farm on record the one that is given, in one transaction. Saving it again changes nothing. What is no
// longer in it is removed; a place that a lot came from cannot be.
func (d *DB) SaveFarm(ctx context.Context, f *farm.Farm, by ledger.By) error {
	return d.record(ctx, "save farm", func(r *record) error { return r.saveFarm(ctx, f, by) })
}

// ChangeFarm saves a farm that was made from the one of a revision. If another was saved since, by this process or any, nothing is changed
// and the error wraps farm.ErrChanged.
func (d *DB) ChangeFarm(ctx context.Context, from string, f *farm.Farm, by ledger.By) error {
	return d.record(ctx, "change farm", func(r *record) error {
		var now string
		if err := r.QueryRowContext(ctx, `SELECT COALESCE(MAX(value), '') FROM meta WHERE name = 'farm'`).Scan(&now); err != nil {
			return err
		}
		if now != from {
			return farm.ErrChanged
		}
		return r.saveFarm(ctx, f, by)
	})
}

func (r *record) saveFarm(ctx context.Context, f *farm.Farm, by ledger.By) error {
	var old farm.Farm // limits that a program without versions left
	if err := readLimits(ctx, r, &old); err != nil {
		return err
	}
	if err := r.keepLimitVersions(ctx, &old, time.Time{}); err != nil {
		return err
	}
	for _, table := range []string{"coop", "zone", "address", "mount", "limit_row"} {
		if _, err := r.ExecContext(ctx, `DELETE FROM `+table); err != nil {
			return err
		}
	}
	before, err := lands(ctx, r)
	if err != nil {
		return err
	}
	if err := saveLands(ctx, r, f, before, by, true); err != nil {
		return err
	}
	if err := dropPlaces(ctx, r, f); err != nil {
		return err
	}
	if err := insertCoop(ctx, r, f); err != nil {
		return err
	}
	if err := insertPlaces(ctx, r, f); err != nil {
		return err
	}
	if err := saveLands(ctx, r, f, before, by, false); err != nil {
		return err
	}
	if err := r.keepLimitVersions(ctx, f, by.At); err != nil {
		return err
	}
	if err := bump(ctx, r, "farm"); err != nil {
		return err
	}
	return r.say(ctx, ledger.FarmSaved, "farm", f, by)
}

// dropPlaces removes the places that are not in f.
func dropPlaces(ctx context.Context, tx *record, f *farm.Farm) error {
	type gone struct {
		code, name string
		lots       int
		entries    int // of the diary
	}
	var all []gone
	err := each(ctx, tx, func(scan func(...any) error) error {
		var g gone
		if err := scan(&g.code, &g.name, &g.lots, &g.entries); err != nil {
			return err
		}
		if _, kept := f.Place(g.code); !kept {
			all = append(all, g)
		}
		return nil
	}, `SELECT p.code, p.name, (SELECT COUNT(*) FROM lot_place l WHERE l.place = p.code),
		(SELECT COUNT(*) FROM diary_event e WHERE e.place = p.code) FROM place p`)
	if err != nil {
		return err
	}
	for _, g := range all {
		if g.lots > 0 {
			return fmt.Errorf("place %s (%s) is not in the farm file, but %d lots came from it: put it back", g.code, g.name, g.lots)
		}
		if g.entries > 0 {
			return fmt.Errorf("place %s (%s) is not in the farm file, but the diary has %d entries of it: put it back", g.code, g.name, g.entries)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM place WHERE code = $1`, g.code); err != nil {
			return err
		}
	}
	return nil
}

func insertCoop(ctx context.Context, tx *record, f *farm.Farm) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO coop (id, name_vi, name_en, demo) VALUES (1, $1, $2, $3)`,
		f.Coop.Name.VI, f.Coop.Name.EN, flag(f.Coop.Demo))
	if err != nil {
		return err
	}
	if err := insertAddresses(ctx, tx, "", f.Coop.Addresses); err != nil {
		return err
	}
	for i, z := range f.Zones {
		if _, err := tx.ExecContext(ctx, `INSERT INTO zone (id, ordinal, name_vi, name_en) VALUES ($1, $2, $3, $4)`, z.ID, i, z.Name.VI, z.Name.EN); err != nil {
			return err
		}
		if err := insertAddresses(ctx, tx, z.ID, z.Addresses); err != nil {
			return err
		}
	}
	return insertLimits(ctx, tx, f)
}

func insertAddresses(ctx context.Context, tx *record, zone string, rows []farm.Address) error {
	for _, a := range rows {
		_, err := tx.ExecContext(ctx, `INSERT INTO address (zone, from_ms, to_ms, text_vi, text_en) VALUES ($1, $2, $3, $4, $5)`,
			zone, toMillis(a.ValidFrom), toMillis(a.ValidTo), a.Text.VI, a.Text.EN)
		if err != nil {
			return err
		}
	}
	return nil
}

func insertPlaces(ctx context.Context, tx *record, f *farm.Farm) error {
	for i, p := range f.Places {
		_, err := tx.ExecContext(ctx, `INSERT INTO place
			(code, ordinal, name, kind, title_vi, title_en, zone, area_m2, holds_vi, holds_en, species, profile, soil_vi, soil_en, water_vi, water_en,
			texture, field_capacity, wilting_point, capacity_ms, capacity_probe)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
			ON CONFLICT (code) DO UPDATE SET ordinal = excluded.ordinal, name = excluded.name, kind = excluded.kind,
				title_vi = excluded.title_vi, title_en = excluded.title_en, zone = excluded.zone, area_m2 = excluded.area_m2,
				holds_vi = excluded.holds_vi, holds_en = excluded.holds_en, species = excluded.species, profile = excluded.profile,
				soil_vi = excluded.soil_vi, soil_en = excluded.soil_en, water_vi = excluded.water_vi, water_en = excluded.water_en,
				texture = excluded.texture, field_capacity = excluded.field_capacity, wilting_point = excluded.wilting_point,
				capacity_ms = excluded.capacity_ms, capacity_probe = excluded.capacity_probe`,
			p.Code, i, p.Name, string(p.Kind), p.Title.VI, p.Title.EN, p.Zone, p.AreaM2, p.Holds.VI, p.Holds.EN, p.Species, p.Profile,
			p.Soil.VI, p.Soil.EN, p.Water.VI, p.Water.EN,
			p.Ground.Texture, p.Ground.FieldCapacity, p.Ground.WiltingPoint, toMillis(p.Ground.On), p.Ground.Probe)
		if err != nil {
			return err
		}
	}
	for i, m := range f.Mounts {
		names := make([]string, len(m.Measures))
		for j, q := range m.Measures {
			names[j] = string(q)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO mount (gateway, sensor, from_ms, to_ms, ordinal, place, measures) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			m.Gateway, m.Sensor, toMillis(m.From), toMillis(m.To), i, m.Place, strings.Join(names, " "))
		if err != nil {
			return err
		}
	}
	return nil
}

// FarmRevision changes whenever the farm is saved; "" before the first time.
func (d *DB) FarmRevision(ctx context.Context) (string, error) { return d.Meta(ctx, "farm") }

// Farm returns the farm on record; one without places when none was saved.
func (d *DB) Farm(ctx context.Context) (*farm.Farm, error) {
	f := &farm.Farm{}
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: d.snapshot()})
	if err != nil {
		return nil, fmt.Errorf("sqldb: farm: %w", err)
	}
	for _, read := range []func(context.Context, querier, *farm.Farm) error{readCoop, readZones, readAddresses, readPlaces, readLands, readMounts, readLimits, readUnsigned} {
		if err := read(ctx, tx, f); err != nil {
			return nil, fmt.Errorf("sqldb: farm: %w", closing(tx, err))
		}
	}
	if err := closing(tx, nil); err != nil {
		return nil, fmt.Errorf("sqldb: farm: %w", err)
	}
	return f, nil
}

// snapshot is the isolation in which several queries of one transaction see one state; SQLite knows no other.
func (d *DB) snapshot() sql.IsolationLevel {
	if d.driver == Postgres {
		return sql.LevelRepeatableRead
	}
	return sql.LevelDefault
}

func readCoop(ctx context.Context, q querier, f *farm.Farm) error {
	return each(ctx, q, func(scan func(...any) error) error {
		var demo int64
		err := scan(&f.Coop.Name.VI, &f.Coop.Name.EN, &demo)
		f.Coop.Demo = demo != 0
		return err
	}, `SELECT name_vi, name_en, demo FROM coop`)
}

func readZones(ctx context.Context, q querier, f *farm.Farm) error {
	return each(ctx, q, func(scan func(...any) error) error {
		var z farm.Zone
		err := scan(&z.ID, &z.Name.VI, &z.Name.EN)
		f.Zones = append(f.Zones, z)
		return err
	}, `SELECT id, name_vi, name_en FROM zone ORDER BY ordinal`)
}

func readAddresses(ctx context.Context, q querier, f *farm.Farm) error {
	return each(ctx, q, func(scan func(...any) error) error {
		var zone string
		var from, to int64
		var a farm.Address
		if err := scan(&zone, &from, &to, &a.Text.VI, &a.Text.EN); err != nil {
			return err
		}
		a.ValidFrom, a.ValidTo = fromMillis(from), fromMillis(to)
		if zone == "" {
			f.Coop.Addresses = append(f.Coop.Addresses, a)
		}
		for i := range f.Zones {
			if f.Zones[i].ID == zone {
				f.Zones[i].Addresses = append(f.Zones[i].Addresses, a)
			}
		}
		return nil
	}, `SELECT zone, from_ms, to_ms, text_vi, text_en FROM address ORDER BY zone, from_ms`)
}

func readPlaces(ctx context.Context, q querier, f *farm.Farm) error {
	return each(ctx, q, func(scan func(...any) error) error {
		var p farm.Place
		var on int64
		err := scan(&p.Code, &p.Name, &p.Kind, &p.Title.VI, &p.Title.EN, &p.Zone, &p.AreaM2, &p.Holds.VI, &p.Holds.EN, &p.Species, &p.Profile,
			&p.Soil.VI, &p.Soil.EN, &p.Water.VI, &p.Water.EN,
			&p.Ground.Texture, &p.Ground.FieldCapacity, &p.Ground.WiltingPoint, &on, &p.Ground.Probe)
		p.Ground.On = fromMillis(on)
		f.Places = append(f.Places, p)
		return err
	}, `SELECT code, name, kind, title_vi, title_en, zone, area_m2, holds_vi, holds_en, species, profile, soil_vi, soil_en, water_vi, water_en,
		texture, field_capacity, wilting_point, capacity_ms, capacity_probe FROM place ORDER BY ordinal`)
}

func readMounts(ctx context.Context, q querier, f *farm.Farm) error {
	return each(ctx, q, func(scan func(...any) error) error {
		var m farm.Mount
		var from, to int64
		var measures string
		if err := scan(&m.Gateway, &m.Sensor, &from, &to, &m.Place, &measures); err != nil {
			return err
		}
		m.From, m.To = fromMillis(from), fromMillis(to)
		for name := range strings.FieldsSeq(measures) {
			m.Measures = append(m.Measures, measure.Quantity(name))
		}
		f.Mounts = append(f.Mounts, m)
		return nil
	}, `SELECT gateway, sensor, from_ms, to_ms, place, measures FROM mount ORDER BY ordinal`)
}

// readUnsigned adds the sources that cannot sign, in service or not: what they sent stays what it is.
func readUnsigned(ctx context.Context, q querier, f *farm.Farm) error {
	return each(ctx, q, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		f.Unsigned = append(f.Unsigned, id)
		return err
	}, `SELECT id FROM gateway WHERE kind <> '' ORDER BY id`)
}

// MountRevision changes whenever Mounts would.
func (d *DB) MountRevision(ctx context.Context) (string, error) { return d.FarmRevision(ctx) }

// Mounts returns where every sensor hung and hangs.
func (d *DB) Mounts(ctx context.Context) ([]project.Mount, error) {
	var f farm.Farm
	if err := readMounts(ctx, d.read, &f); err != nil {
		return nil, fmt.Errorf("sqldb: mounts: %w", err)
	}
	out := make([]project.Mount, 0, len(f.Mounts))
	for _, m := range f.Mounts {
		out = append(out, project.Mount{Gateway: m.Gateway, Sensor: m.Sensor, Place: m.Place, From: m.From, To: m.To})
	}
	return out, nil
}

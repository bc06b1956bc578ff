package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"aovuon/server/ledger"
	"aovuon/server/trace"
)

// closing ends a read-only transaction, keeping err.
func closing(tx *sql.Tx, err error) error {
	if rb := tx.Rollback(); rb != nil && !errors.Is(rb, sql.ErrTxDone) {
		return errors.Join(err, rb)
	}
	return err
}

// SaveProduct adds a product, or changes its name.
func (d *DB) SaveProduct(ctx context.Context, p trace.Product, by ledger.By) error {
	return d.record(ctx, "save product "+p.GTIN, func(r *record) error { return r.saveProduct(ctx, p, by) })
}

func (r *record) saveProduct(ctx context.Context, p trace.Product, by ledger.By) error {
	_, err := r.ExecContext(ctx, `INSERT INTO product (gtin, name_vi, name_en, record) VALUES ($1, $2, $3, $4)
		ON CONFLICT (gtin) DO UPDATE SET name_vi = excluded.name_vi, name_en = excluded.name_en,
			record = CASE WHEN excluded.record = '' THEN product.record ELSE excluded.record END`, p.GTIN, p.Name.VI, p.Name.EN, p.Record)
	if err != nil {
		return err
	}
	if err := r.QueryRowContext(ctx, `SELECT record FROM product WHERE gtin = $1`, p.GTIN).Scan(&p.Record); err != nil {
		return err
	}
	return r.say(ctx, ledger.ProductSaved, p.GTIN, p, by)
}

// SaveLot adds a lot of a known product from known places, or changes it. Evidence weighed before stays until it is
// weighed again.
func (d *DB) SaveLot(ctx context.Context, l trace.Lot, by ledger.By) error {
	return d.record(ctx, "save lot "+l.Code, func(r *record) error { return r.saveLot(ctx, l, by) })
}

func (r *record) saveLot(ctx context.Context, l trace.Lot, by ledger.By) error {
	var known int64
	if err := r.QueryRowContext(ctx, `SELECT COUNT(*) FROM lot WHERE gtin = $1 AND code = $2`, l.GTIN, l.Code).Scan(&known); err != nil {
		return err
	}
	harvests, err := texts(ctx, r, `SELECT event FROM lot_harvest WHERE gtin = $1 AND lot = $2 ORDER BY ordinal`, l.GTIN, l.Code)
	if err != nil {
		return err
	}
	_, err = r.ExecContext(ctx, `INSERT INTO lot
		(gtin, code, species_vi, species_en, scientific, stocked_ms, harvested_ms, kg, state, demo, cycle, barred)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (gtin, code) DO UPDATE SET species_vi = excluded.species_vi, species_en = excluded.species_en,
			scientific = excluded.scientific, stocked_ms = excluded.stocked_ms, harvested_ms = excluded.harvested_ms, kg = excluded.kg,
			state = excluded.state, demo = excluded.demo, cycle = excluded.cycle, barred = excluded.barred`,
		l.GTIN, l.Code, l.Species.VI, l.Species.EN, l.Scientific, toMillis(l.Stocked), toMillis(l.Harvested), l.KG, string(l.State), flag(l.Demo), l.Cycle, strings.Join(l.Barred, "\n"))
	if err != nil {
		return err
	}
	for _, table := range []string{"lot_place", "lot_harvest"} {
		if _, err := r.ExecContext(ctx, `DELETE FROM `+table+` WHERE gtin = $1 AND lot = $2`, l.GTIN, l.Code); err != nil {
			return err
		}
	}
	for i, place := range l.Places {
		if _, err := r.ExecContext(ctx, `INSERT INTO lot_place (gtin, lot, ordinal, place) VALUES ($1, $2, $3, $4)`, l.GTIN, l.Code, i, place); err != nil {
			return fmt.Errorf("place %s: %w", place, err)
		}
	}
	for i, event := range l.Harvests {
		if _, err := r.ExecContext(ctx, `INSERT INTO lot_harvest (gtin, lot, ordinal, event) VALUES ($1, $2, $3, $4)`, l.GTIN, l.Code, i, event); err != nil {
			return fmt.Errorf("harvest %s: %w", event, err)
		}
	}
	if err := shorten(ctx, r, l.Link()); err != nil {
		return err
	}
	if err := r.drawLot(ctx, l.Code, known == 0, harvests, l.Harvests); err != nil {
		return fmt.Errorf("edges: %w", err)
	}
	return r.say(ctx, ledger.LotSaved, l.Link().Path(), l, by)
}

// SaveCertificate adds a certificate, or changes the one with its id.
func (d *DB) SaveCertificate(ctx context.Context, c trace.Certificate, by ledger.By) error {
	return d.record(ctx, "save certificate "+c.ID, func(r *record) error { return r.saveCertificate(ctx, c, by) })
}

func (r *record) saveCertificate(ctx context.Context, c trace.Certificate, by ledger.By) error {
	_, err := r.ExecContext(ctx, `INSERT INTO certificate (id, scheme, standard, number, issuer, gtin, place, from_ms, to_ms, demo)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (id) DO UPDATE SET scheme = excluded.scheme, standard = excluded.standard, number = excluded.number,
			issuer = excluded.issuer, gtin = excluded.gtin, place = excluded.place, from_ms = excluded.from_ms, to_ms = excluded.to_ms,
			demo = excluded.demo`,
		c.ID, c.Scheme, c.Standard, c.Number, c.Issuer, c.GTIN, c.Place, toMillis(c.From), toMillis(c.To), flag(c.Demo))
	if err != nil {
		return err
	}
	return r.say(ctx, ledger.CertificateSaved, c.ID, c, by)
}

// Lots returns every lot, the youngest harvest first; those still growing before them.
func (d *DB) Lots(ctx context.Context) ([]trace.Lot, error) {
	lots, err := lotsWhere(ctx, d.read, `1 = 1`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: lots: %w", err)
	}
	return lots, nil
}

func lotsWhere(ctx context.Context, q querier, where string, args ...any) ([]trace.Lot, error) {
	var out []trace.Lot
	err := each(ctx, q, func(scan func(...any) error) error {
		var l trace.Lot
		var stocked, harvested, demo int64
		var barred string
		err := scan(&l.GTIN, &l.Code, &l.Species.VI, &l.Species.EN, &l.Scientific, &stocked, &harvested, &l.KG, &l.State, &demo, &l.Cycle, &barred)
		l.Stocked, l.Harvested, l.Demo = fromMillis(stocked), fromMillis(harvested), demo != 0
		if barred != "" {
			l.Barred = strings.Split(barred, "\n")
		}
		out = append(out, l)
		return err
	}, `SELECT gtin, code, species_vi, species_en, scientific, stocked_ms, harvested_ms, kg, state, demo, cycle, barred FROM lot
		WHERE `+where+` ORDER BY CASE WHEN harvested_ms = 0 THEN 0 ELSE 1 END, harvested_ms DESC, gtin, code`, args...)
	if err != nil {
		return nil, err
	}
	for i := range out {
		err := each(ctx, q, func(scan func(...any) error) error {
			var place string
			err := scan(&place)
			out[i].Places = append(out[i].Places, place)
			return err
		}, `SELECT place FROM lot_place WHERE gtin = $1 AND lot = $2 ORDER BY ordinal`, out[i].GTIN, out[i].Code)
		if err != nil {
			return nil, err
		}
		err = each(ctx, q, func(scan func(...any) error) error {
			var event string
			err := scan(&event)
			out[i].Harvests = append(out[i].Harvests, event)
			return err
		}, `SELECT event FROM lot_harvest WHERE gtin = $1 AND lot = $2 ORDER BY ordinal`, out[i].GTIN, out[i].Code)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SaveEvidence replaces the evidence of a lot, weighed at a time.
func (d *DB) SaveEvidence(ctx context.Context, l trace.Link, rows []trace.Evidence, at time.Time) error {
	return d.update(ctx, "save evidence of lot "+l.Lot, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM evidence WHERE gtin = $1 AND lot = $2`, l.GTIN, l.Lot); err != nil {
			return err
		}
		for i, r := range rows {
			body, err := json.Marshal(r)
			if err != nil {
				return err
			}
			course, err := json.Marshal(r.Course)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `INSERT INTO evidence (gtin, lot, place, quantity, ordinal, body, course) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
				l.GTIN, l.Lot, r.Place, string(r.Quantity), i, string(body), string(course))
			if err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE lot SET weighed_ms = $1 WHERE gtin = $2 AND code = $3`, toMillis(at), l.GTIN, l.Lot)
		return err
	})
}

// Dossier returns all that is on record about the lot of a link: lot, product, certificates that cover it and evidence.
// The error wraps trace.ErrUnknown when nobody issued the link; item serials are not issued yet, so a link with one is
// unknown.
func (d *DB) Dossier(ctx context.Context, l trace.Link) (trace.Dossier, error) {
	if l.Lot == "" || l.Serial != "" || l.Variant != "" {
		return trace.Dossier{}, fmt.Errorf("sqldb: %w", trace.ErrUnknown)
	}
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: d.snapshot()})
	if err != nil {
		return trace.Dossier{}, fmt.Errorf("sqldb: dossier: %w", err)
	}
	out, err := dossier(ctx, tx, l)
	if err := closing(tx, err); err != nil {
		return trace.Dossier{}, fmt.Errorf("sqldb: dossier: %w", err)
	}
	return out, nil
}

func dossier(ctx context.Context, tx *sql.Tx, l trace.Link) (out trace.Dossier, err error) {
	lots, err := lotsWhere(ctx, tx, `gtin = $1 AND code = $2`, l.GTIN, l.Lot)
	if err == nil && len(lots) == 0 {
		lots, err = formerly(ctx, tx, l)
	}
	if err != nil {
		return out, err
	}
	if len(lots) == 0 {
		return out, trace.ErrUnknown
	}
	out.Lot = lots[0]
	l = out.Lot.Link()
	var weighed int64
	err = tx.QueryRowContext(ctx, `SELECT p.gtin, p.name_vi, p.name_en, p.record, l.weighed_ms FROM lot l JOIN product p ON p.gtin = l.gtin
		WHERE l.gtin = $1 AND l.code = $2`, l.GTIN, l.Lot).Scan(&out.Product.GTIN, &out.Product.Name.VI, &out.Product.Name.EN, &out.Product.Record, &weighed)
	if err != nil {
		return out, err
	}
	if !out.Lot.Sellable() {
		return out, nil // no claim is made of it
	}
	out.Weighed = fromMillis(weighed)
	if out.Seal, err = sealedAt(ctx, tx, l); err != nil {
		return out, err
	}
	all, err := certificates(ctx, tx, `gtin = $1`, l.GTIN)
	if err != nil {
		return out, err
	}
	out.Certificates = trace.CertificatesOf(out.Lot, all)
	err = each(ctx, tx, func(scan func(...any) error) error {
		var body, course string
		if err := scan(&body, &course); err != nil {
			return err
		}
		var e trace.Evidence
		if err := json.Unmarshal([]byte(body), &e); err != nil {
			return fmt.Errorf("evidence: %w", err)
		}
		if course != "" { // weighed by a program that drew none
			if err := json.Unmarshal([]byte(course), &e.Course); err != nil {
				return fmt.Errorf("course: %w", err)
			}
		}
		out.Evidence = append(out.Evidence, e)
		return nil
	}, `SELECT body, course FROM evidence WHERE gtin = $1 AND lot = $2 ORDER BY ordinal`, l.GTIN, l.Lot)
	return out, err
}

// certificates returns the certificates of a condition, by id.
func certificates(ctx context.Context, q querier, where string, args ...any) ([]trace.Certificate, error) {
	var all []trace.Certificate
	err := each(ctx, q, func(scan func(...any) error) error {
		var c trace.Certificate
		var from, to, demo int64
		err := scan(&c.ID, &c.Scheme, &c.Standard, &c.Number, &c.Issuer, &c.GTIN, &c.Place, &from, &to, &demo)
		c.From, c.To, c.Demo = fromMillis(from), fromMillis(to), demo != 0
		all = append(all, c)
		return err
	}, `SELECT id, scheme, standard, number, issuer, gtin, place, from_ms, to_ms, demo FROM certificate WHERE `+where+` ORDER BY id`, args...)
	return all, err
}

// LotRevision returns a text that changes with whatever the public page of a lot is drawn from: every row that the ledger speaks of (lot,
// goods, diary, register, farm, people) moves the ledger's end within its transaction, and evidence is dated. A lot that
// nobody issued has one, too, and so has one that is named by a number its product had formerly.
func (d *DB) LotRevision(ctx context.Context, l trace.Link) (string, error) {
	var size, weighed int64
	err := d.read.QueryRowContext(ctx, `SELECT e.size, COALESCE((SELECT weighed_ms FROM lot WHERE gtin = $1 AND code = $2), (SELECT MAX(weighed_ms) FROM lot WHERE code = $2), -1) FROM ledger_end e WHERE e.id = 1`, l.GTIN, l.Lot).Scan(&size, &weighed)
	if err != nil {
		return "", fmt.Errorf("sqldb: revision of lot %s: %w", l.Lot, err)
	}
	return strconv.FormatInt(size, 10) + "." + strconv.FormatInt(weighed, 10), nil
}

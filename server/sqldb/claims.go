package sqldb

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/ingest"
	"aovuon/server/ledger"
)

// The reasons a claim or a new key is refused. Callers tell them apart with errors.Is.
var (
	ErrNoClaim       = errors.New("no such claim: it was never made, was used, or is over")
	ErrInService     = errors.New("in service with another key: retire it first")
	ErrNotInForce    = errors.New("the key that signed it is not the one in force")
	ErrKeyUsed       = errors.New("the key was in use before: make a new one")
	ErrTooManyClaims = errors.New("too many open claims: wait until some are over")
)

// maxClaims bounds the open claims.
const maxClaims = 1000

// Claim lets one gateway be enrolled.
type Claim struct {
	ID      string // wire.ClaimCode.ID
	Key     []byte // wire.ClaimCode.Key
	Gateway string // empty: any that is not enrolled yet
	Made    time.Time
	Expires time.Time
}

// AddClaim keeps a claim until it is over. The error wraps ErrInService where its gateway is in service.
func (d *DB) AddClaim(ctx context.Context, c Claim) error {
	return d.update(ctx, "claim", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM claim WHERE expires_ms < $1`, c.Made.UnixMilli()); err != nil {
			return err
		}
		var open, serving, unsigned int
		err := tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM claim), (SELECT COUNT(*) FROM gateway WHERE id = $1 AND retired_ms = 0),
			(SELECT COUNT(*) FROM gateway WHERE id = $1 AND kind <> '')`, c.Gateway).Scan(&open, &serving, &unsigned)
		switch {
		case err != nil:
			return err
		case open >= maxClaims:
			return ErrTooManyClaims
		case unsigned > 0:
			return fmt.Errorf("gateway %s: %w", c.Gateway, ErrUnsignedName)
		case serving > 0:
			return fmt.Errorf("gateway %s: %w", c.Gateway, ErrInService)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO claim (id, key, gateway, made_ms, expires_ms) VALUES ($1, $2, $3, $4, $5)`,
			c.ID, c.Key, c.Gateway, c.Made.UnixMilli(), c.Expires.UnixMilli())
		return err
	})
}

// ClaimKey returns the key of an open claim; the error wraps ErrNoClaim.
func (d *DB) ClaimKey(ctx context.Context, id string, now time.Time) (key []byte, err error) {
	err = d.read.QueryRowContext(ctx, `SELECT key FROM claim WHERE id = $1 AND expires_ms >= $2`, id, now.UnixMilli()).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoClaim
	}
	if err != nil {
		return nil, fmt.Errorf("sqldb: claim: %w", err)
	}
	return key, nil
}

// EnrolByClaim enrols the gateway of a card with a claim, once: a new name, or one that was retired, which then has a new key. The same
// card again, as long as the claim is not over, changes nothing: an answer may get lost. The error wraps ErrNoClaim, ErrInService or ErrKeyUsed.
func (d *DB) EnrolByClaim(ctx context.Context, id string, card wire.Card, by ledger.By) error {
	return d.record(ctx, "enrol gateway "+card.Gateway, func(r *record) error {
		var gateway, used string
		err := r.QueryRowContext(ctx, `SELECT gateway, used_vkey FROM claim WHERE id = $1 AND expires_ms >= $2`, id, by.At.UnixMilli()).Scan(&gateway, &used)
		if errors.Is(err, sql.ErrNoRows) || err == nil && (used != "" && used != card.VKey || gateway != "" && gateway != card.Gateway) {
			return ErrNoClaim
		}
		if err != nil {
			return err
		}
		vkey, retired, known, err := inForce(ctx, r, card.Gateway)
		switch {
		case err != nil:
			return err
		case known && !retired && used != "" && vkey == card.VKey:
			return nil // said already
		case known && !retired:
			return ErrInService
		case known && gateway == "":
			return ErrNoClaim // who takes an old name's place is said when the claim is made
		case known:
			err = rekey(ctx, r, card, keySaid{Gateway: card.Gateway, VKey: card.VKey, Previous: vkey, How: "claim"}, by)
		default:
			_, err = addGateway(ctx, r, card, by)
		}
		if err != nil {
			return err
		}
		if _, err := r.ExecContext(ctx, `UPDATE claim SET used_vkey = $1 WHERE id = $2`, card.VKey, id); err != nil {
			return err
		}
		return bump(ctx, r, "gateways")
	})
}

// Rekey puts a new key in the place of the one in force, which signed for it. The same request again changes nothing. The error wraps
// ErrNoGateway, ErrNotInForce or ErrKeyUsed.
func (d *DB) Rekey(ctx context.Context, q wire.Rekey, by ledger.By) error {
	return d.record(ctx, "new key of gateway "+q.Card.Gateway, func(r *record) error {
		vkey, retired, known, err := inForce(ctx, r, q.Card.Gateway)
		switch {
		case err != nil:
			return err
		case !known || retired:
			return ErrNoGateway
		case vkey == q.Card.VKey:
			return nil // said already
		case vkey != q.Old:
			return ErrNotInForce
		}
		err = rekey(ctx, r, q.Card, keySaid{Gateway: q.Card.Gateway, VKey: q.Card.VKey, Previous: vkey, How: "signed", Note: string(q.Note)}, by)
		if err != nil {
			return err
		}
		return bump(ctx, r, "gateways")
	})
}

// keySaid is what the ledger says of a key that followed another.
type keySaid struct {
	Gateway  string `json:"gateway"`
	VKey     string `json:"vkey"`
	Previous string `json:"previous"`
	How      string `json:"how"`            // signed: by the previous key, see Note; claim: on the operator's word
	Note     string `json:"note,omitempty"` // wire.OpenRekeyNote
}

func inForce(ctx context.Context, r *record, gateway string) (vkey string, retired, known bool, err error) {
	var ms int64
	var kind string
	err = r.QueryRowContext(ctx, `SELECT vkey, retired_ms, kind FROM gateway WHERE id = $1`, gateway).Scan(&vkey, &ms, &kind)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, false, nil
	}
	if err == nil && kind != string(ingest.Device) {
		err = ErrUnsignedName
	}
	return vkey, ms != 0, err == nil, err
}

func rekey(ctx context.Context, r *record, card wire.Card, said keySaid, by ledger.By) error {
	body, err := json.Marshal(said)
	if err != nil {
		return err
	}
	if used, err := keyUsed(ctx, r, card); err != nil || used {
		return errors.Join(err, ErrKeyUsed)
	}
	_, err = r.ExecContext(ctx, `UPDATE gateway SET vkey = $1, secret_sha = $2, mosquitto = $3, retired_ms = 0, rekeyed = $4,
		first_vkey = CASE WHEN first_vkey = '' THEN vkey ELSE first_vkey END WHERE id = $5`,
		card.VKey, card.SecretSHA[:], card.Mosquitto, string(body), card.Gateway)
	if err != nil {
		return err
	}
	_, err = r.enter(ctx, ledger.Entry{Kind: ledger.GatewayRekeyed, Subject: card.Gateway, Body: body, By: by})
	return err
}

// keyUsed looks through what the ledger said of a gateway's keys.
func keyUsed(ctx context.Context, r *record, card wire.Card) (used bool, err error) {
	quoted, err := json.Marshal(card.VKey)
	if err != nil {
		return false, err
	}
	err = each(ctx, r, func(scan func(...any) error) error {
		var body []byte
		err := scan(&body)
		used = used || bytes.Contains(body, quoted)
		return err
	}, `SELECT b.body FROM ledger_leaf l JOIN ledger_body b ON b.n = l.n WHERE l.subject = $1 AND l.kind IN ($2, $3)`,
		card.Gateway, string(ledger.GatewayEnrolled), string(ledger.GatewayRekeyed))
	return used, err
}

// gatewayRows adds what the tables say of gateways' keys, in the form of the ledger's bodies.
func (d *DB) gatewayRows(ctx context.Context, add func(kind ledger.Kind, subject string, body any) error) error {
	return each(ctx, d.read, func(scan func(...any) error) error {
		var id, vkey, first, rekeyed, kind string
		var retired int64
		if err := scan(&id, &vkey, &first, &rekeyed, &retired, &kind); err != nil {
			return err
		}
		if first == "" {
			first = vkey
		}
		if err := add(ledger.GatewayEnrolled, id, gatewaySaid{Gateway: id, VKey: first, Kind: kind}); err != nil {
			return err
		}
		if rekeyed != "" {
			if err := add(ledger.GatewayRekeyed, id, withKey(rekeyed, vkey)); err != nil {
				return err
			}
		}
		if retired == 0 {
			return nil
		}
		return add(ledger.GatewayRetired, id, retiredSaid(id, vkey, rekeyed))
	}, `SELECT id, vkey, first_vkey, rekeyed, retired_ms, kind FROM gateway ORDER BY id`)
}

// withKey is the body with the key that is in force: where the two columns differ, the row does not say what the ledger says.
func withKey(rekeyed, vkey string) any {
	var said keySaid
	if err := json.Unmarshal([]byte(rekeyed), &said); err != nil {
		return rekeyed
	}
	said.VKey = vkey
	return said
}

// retiredSaid names the key only where it is not the first: who is retired again is said again.
func retiredSaid(id, vkey, rekeyed string) gatewaySaid {
	if rekeyed == "" {
		vkey = ""
	}
	return gatewaySaid{Gateway: id, VKey: vkey}
}

package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"aovuon/gateway/wire"
	"aovuon/server/ingest"
	"aovuon/server/ledger"
)

// AddSource puts a source that cannot sign into the register. The card's key is the server's, which seals what the source sends. Adding the same card
// again changes nothing; one with the same key replaces the password; one with another key puts that in its place, on the operator's word, and takes
// a retired source back into service. The error wraps ErrKeyChanged where the name is that of a gateway, or of a source of another kind.
func (d *DB) AddSource(ctx context.Context, card wire.Card, kind ingest.Kind, by ledger.By) (added bool, err error) {
	if kind == ingest.Device {
		return false, fmt.Errorf("sqldb: source %s: it has no kind", card.Gateway)
	}
	err = d.record(ctx, "add source "+card.Gateway, func(r *record) error {
		added = false
		var vkey, was string
		var retired int64
		err := r.QueryRowContext(ctx, `SELECT vkey, kind, retired_ms FROM gateway WHERE id = $1`, card.Gateway).Scan(&vkey, &was, &retired)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			added = true
			err = insertSource(ctx, r, card, kind, by)
		case err != nil:
			return err
		case was == string(ingest.Device):
			return fmt.Errorf("%w: %s is a gateway that signs: choose another name", ErrKeyChanged, card.Gateway)
		case was != string(kind):
			return fmt.Errorf("%w: %s is a source of kind %s: choose another name", ErrKeyChanged, card.Gateway, was)
		case vkey == card.VKey && retired != 0:
			return fmt.Errorf("%w: %s was retired with this key: remove the key file, and a new one is made", ErrKeyUsed, card.Gateway)
		case vkey == card.VKey:
			r.entered = true // a password is not the ledger's
			_, err = r.ExecContext(ctx, `UPDATE gateway SET secret_sha = $1, mosquitto = $2 WHERE id = $3`, card.SecretSHA[:], card.Mosquitto, card.Gateway)
		default:
			err = rekey(ctx, r, card, keySaid{Gateway: card.Gateway, VKey: card.VKey, Previous: vkey, How: "claim"}, by)
		}
		if err != nil {
			return err
		}
		return errors.Join(bump(ctx, r, "gateways"), bump(ctx, r, "farm")) // the farm says who signs
	})
	return added, err
}

func insertSource(ctx context.Context, r *record, card wire.Card, kind ingest.Kind, by ledger.By) error {
	_, err := r.ExecContext(ctx, `INSERT INTO gateway (id, vkey, secret_sha, mosquitto, enrolled_ms, kind) VALUES ($1, $2, $3, $4, $5, $6)`,
		card.Gateway, card.VKey, card.SecretSHA[:], card.Mosquitto, by.At.UnixMilli(), string(kind))
	if err != nil {
		return err
	}
	return r.say(ctx, ledger.GatewayEnrolled, card.Gateway, gatewaySaid{Gateway: card.Gateway, VKey: card.VKey, Kind: string(kind)}, by)
}

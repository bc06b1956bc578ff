package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/ingest"
	"aovuon/server/ledger"
)

// ErrKeyChanged says that a gateway is enrolled with another key: it must be retired first; a claim gives its name a new key.
var ErrKeyChanged = errors.New("enrolled with another key")

// ErrUnsignedName says that a name belongs to a source that cannot sign. It stays so for ever: what came under it is marked by its name.
var ErrUnsignedName = errors.New("the name is that of a source that cannot sign (server intake list): choose another")

// ErrNoGateway says that no gateway of that name is enrolled.
var ErrNoGateway = errors.New("no such gateway")

// gatewaySaid is what the ledger says of a gateway: its key, never its password.
type gatewaySaid struct {
	Gateway string `json:"gateway"`
	VKey    string `json:"vkey,omitempty"`
	Kind    string `json:"kind,omitempty"` // ingest.Kind: where there is one, the key is the server's
}

// AddGateway enrols a gateway. Adding the same card again changes nothing; a card with the same key and a new password
// replaces the password. The error wraps ErrKeyChanged where the name belongs to another key.
func (d *DB) AddGateway(ctx context.Context, card wire.Card, by ledger.By) (added bool, err error) {
	all, err := d.AddGateways(ctx, []wire.Card{card}, by)
	return err == nil && all[0], err
}

// AddGateways is AddGateway for any number of cards: all of them or, on an error, none. added says of each card whether its
// gateway was not enrolled before.
func (d *DB) AddGateways(ctx context.Context, cards []wire.Card, by ledger.By) (added []bool, err error) {
	op := fmt.Sprintf("enrol %d gateways", len(cards))
	if len(cards) == 1 {
		op = "enrol gateway " + cards[0].Gateway
	}
	err = d.record(ctx, op, func(r *record) error {
		added = make([]bool, len(cards))
		for i, card := range cards {
			var err error
			if added[i], err = addGateway(ctx, r, card, by); err != nil && len(cards) > 1 {
				err = fmt.Errorf("gateway %s: %w", card.Gateway, err)
			}
			if err != nil {
				return err
			}
		}
		return bump(ctx, r, "gateways")
	})
	return added, err
}

func addGateway(ctx context.Context, r *record, card wire.Card, by ledger.By) (added bool, err error) {
	var vkey, rekeyed, kind string
	switch err := r.QueryRowContext(ctx, `SELECT vkey, rekeyed, kind FROM gateway WHERE id = $1`, card.Gateway).Scan(&vkey, &rekeyed, &kind); {
	case errors.Is(err, sql.ErrNoRows):
		added = true
	case err != nil:
		return false, err
	case kind != string(ingest.Device):
		return false, ErrUnsignedName
	case vkey != card.VKey:
		return false, fmt.Errorf("%w: retire it, and enrol the new key with a claim (server gateway claim) or under a new name", ErrKeyChanged)
	}
	_, err = r.ExecContext(ctx, `INSERT INTO gateway (id, vkey, secret_sha, mosquitto, enrolled_ms) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET secret_sha = excluded.secret_sha, mosquitto = excluded.mosquitto`,
		card.Gateway, card.VKey, card.SecretSHA[:], card.Mosquitto, by.At.UnixMilli())
	if err != nil {
		return false, err
	}
	if rekeyed != "" { // the ledger has said so already, of the key in force
		r.entered = true
		return false, nil
	}
	return added, r.say(ctx, ledger.GatewayEnrolled, card.Gateway, gatewaySaid{Gateway: card.Gateway, VKey: card.VKey}, by)
}

// RetireGateway takes a gateway out of service: what it sends from now on is refused, what it sent before stays.
func (d *DB) RetireGateway(ctx context.Context, id string, by ledger.By) error {
	return d.record(ctx, "retire gateway "+id, func(r *record) error {
		var vkey, rekeyed string
		err := r.QueryRowContext(ctx, `SELECT vkey, rekeyed FROM gateway WHERE id = $1 AND retired_ms = 0`, id).Scan(&vkey, &rekeyed)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNoGateway
		}
		if err != nil {
			return err
		}
		if _, err := r.ExecContext(ctx, `UPDATE gateway SET retired_ms = $1 WHERE id = $2`, by.At.UnixMilli(), id); err != nil {
			return err
		}
		if err := bump(ctx, r, "gateways"); err != nil {
			return err
		}
		return r.say(ctx, ledger.GatewayRetired, id, retiredSaid(id, vkey, rekeyed), by)
	})
}

// bump changes a revision that running servers watch.
func bump(ctx context.Context, tx execer, name string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ($1, '1')
		ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT)`, name)
	return err
}

// EnrolmentRevision implements ingest.Enrolments.
func (d *DB) EnrolmentRevision(ctx context.Context) (rev string, err error) {
	return d.Meta(ctx, "gateways")
}

// Meta returns a named value, empty where there is none.
func (d *DB) Meta(ctx context.Context, name string) (value string, err error) {
	err = d.read.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = $1`, name).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("sqldb: meta %s: %w", name, err)
	}
	return value, nil
}

// Enrolments implements ingest.Enrolments, ordered by name.
func (d *DB) Enrolments(ctx context.Context) ([]ingest.Enrolment, error) {
	var out []ingest.Enrolment
	err := each(ctx, d.read, func(scan func(...any) error) error {
		var e ingest.Enrolment
		var sha []byte
		var enrolled, retired int64
		if err := scan(&e.Gateway, &e.VKey, &sha, &enrolled, &retired, &e.Kind); err != nil {
			return err
		}
		if copy(e.SecretSHA[:], sha) != len(e.SecretSHA) {
			return fmt.Errorf("gateway %s: password hash has %d bytes", e.Gateway, len(sha))
		}
		e.Enrolled, e.Retired = fromMillis(enrolled), fromMillis(retired)
		out = append(out, e)
		return nil
	}, `SELECT id, vkey, secret_sha, enrolled_ms, retired_ms, kind FROM gateway ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: enrolments: %w", err)
	}
	return out, nil
}

// MosquittoPassword is what a Mosquitto password file says of a gateway.
type MosquittoPassword struct {
	Gateway string
	Hash    string // wire.MosquittoHash; empty: the gateway's card did not say
	Kind    ingest.Kind
}

// MosquittoPasswords lists the gateways in service by name.
func (d *DB) MosquittoPasswords(ctx context.Context) ([]MosquittoPassword, error) {
	var out []MosquittoPassword
	err := each(ctx, d.read, func(scan func(...any) error) error {
		var p MosquittoPassword
		err := scan(&p.Gateway, &p.Hash, &p.Kind)
		out = append(out, p)
		return err
	}, `SELECT id, mosquitto, kind FROM gateway WHERE retired_ms = 0 ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: passwords: %w", err)
	}
	return out, nil
}

// fromMillis is the zero time for 0.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Standing is what the system page shows of one gateway.
type Standing struct {
	ingest.Enrolment
	State ingest.State // zero while it never said anything
	Seen  time.Time    // of the last batch or status; zero: never
	Epoch string       // of the newest batch
	Seq   uint64
}

// Standings lists the enrolled gateways by name.
func (d *DB) Standings(ctx context.Context) ([]Standing, error) {
	enrolled, err := d.Enrolments(ctx)
	if err != nil {
		return nil, err
	}
	at := make(map[string]*Standing, len(enrolled))
	out := make([]Standing, len(enrolled))
	for i, e := range enrolled {
		out[i].Enrolment = e
		at[e.Gateway] = &out[i]
	}
	err = each(ctx, d.read, func(scan func(...any) error) error {
		var s ingest.State
		var ms int64
		if err := scan(&s.Gateway, &s.State, &ms); err != nil {
			return err
		}
		if st := at[s.Gateway]; st != nil {
			s.Time = fromMillis(ms)
			st.State, st.Seen = s, s.Time
		}
		return nil
	}, `SELECT gateway, state, state_ms FROM gateway_state`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: gateway states: %w", err)
	}
	err = each(ctx, d.read, func(scan func(...any) error) error {
		var id, epoch string
		var seq, ms int64
		if err := scan(&id, &epoch, &seq, &ms); err != nil {
			return err
		}
		if st := at[id]; st != nil {
			st.Epoch, st.Seq = epoch, uint64(seq) // rows come oldest first
			if t := fromMillis(ms); t.After(st.Seen) {
				st.Seen = t
			}
		}
		return nil
	}, `SELECT gateway, epoch, seq, received_ms FROM chain_head ORDER BY received_ms`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: chain heads: %w", err)
	}
	return out, nil
}

// SaveStates implements ingest.Notes.
func (d *DB) SaveStates(ctx context.Context, states []ingest.State) error {
	return d.update(ctx, "gateway states", func(tx *sql.Tx) error {
		for _, s := range states {
			_, err := tx.ExecContext(ctx, `INSERT INTO gateway_state (gateway, state, state_ms) VALUES ($1, $2, $3)
				ON CONFLICT (gateway) DO UPDATE SET state = excluded.state, state_ms = excluded.state_ms`,
				s.Gateway, s.State, s.Time.UnixMilli())
			if err != nil {
				return err
			}
		}
		return nil
	})
}

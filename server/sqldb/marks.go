package sqldb

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"

	"aovuon/server/ledger"
)

// marks says what an account's secrets were, and tells none of them: salted hashes of the rows that let somebody in.
type marks struct {
	Salt []byte            `json:"salt"`
	Of   map[string]string `json:"of"` // by what is marked: base64 of SHA-256(salt || its parts, each behind its length)
}

// newMarks marks what an account has now.
func newMarks(ctx context.Context, q querier, id string) (*marks, error) {
	m := &marks{Salt: make([]byte, ledger.SaltSize)}
	if _, err := rand.Read(m.Salt); err != nil {
		return nil, err
	}
	var err error
	m.Of, err = markAccount(ctx, q, id, m.Salt)
	return m, err
}

// AccountMarks returns the marks of what an account has now, made with a salt: those of the newest leaf about it are the same, unless
// somebody changed a password, a code, a link or a card behind the ledger's back.
func (d *DB) AccountMarks(ctx context.Context, id string, salt []byte) (map[string]string, error) {
	out, err := markAccount(ctx, d.read, id, salt)
	if err != nil {
		return nil, fmt.Errorf("sqldb: marks of account %s: %w", id, err)
	}
	return out, nil
}

// markAccount marks everything that lets somebody in as an account. Not marked is what changes by use alone: the last step of one-time codes,
// counters of passkeys, tries of PINs, sessions and the devices that know them.
func markAccount(ctx context.Context, q querier, id string, salt []byte) (map[string]string, error) {
	parts := map[string][][]byte{}
	for _, s := range []struct {
		what, query string
	}{
		{"password", `SELECT '', password, made_ms, disabled_ms FROM account WHERE id = $1`},
		{"codes", `SELECT '', secret FROM account WHERE id = $1 AND secret IS NOT NULL`},
		{"recovery codes", `SELECT '', hash, used_ms FROM account_recovery WHERE account = $1 ORDER BY hash`},
		{"link", `SELECT '', hash, expires_ms, used_ms FROM account_link WHERE account = $1 ORDER BY hash`},
		{"passkey", `SELECT id, credential, public, flags, made_ms, cloned_ms FROM account_passkey WHERE account = $1 ORDER BY id`},
		{"card", `SELECT id, code, device, pin, made_ms, bound_ms, revoked_ms FROM account_card WHERE account = $1 ORDER BY id`},
	} {
		err := eachRow(ctx, q, func(name string, values [][]byte) {
			what := s.what
			if name != "" {
				what += " " + name
			}
			parts[what] = append(parts[what], values...)
		}, s.query, id)
		if err != nil {
			return nil, err
		}
	}
	out := make(map[string]string, len(parts))
	for what, list := range parts {
		h := sha256.New()
		h.Write(salt)
		for _, p := range list {
			h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
			h.Write(p)
		}
		out[what] = base64.StdEncoding.EncodeToString(h.Sum(nil))
	}
	return out, nil
}

// eachRow gives every row of a query to f: its first column, a text, and the others as bytes, NULL as none of them.
func eachRow(ctx context.Context, q querier, f func(name string, values [][]byte), query string, args ...any) (err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		var name string
		values := make([]any, len(columns)-1)
		into := append(make([]any, 0, len(columns)), &name)
		for i := range values {
			into = append(into, &values[i])
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		f(name, asBytes(values))
	}
	return rows.Err()
}

func asBytes(values []any) [][]byte {
	out := make([][]byte, 0, len(values))
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			out = append(out, nil)
		case []byte:
			out = append(out, append([]byte{1}, v...)) // that there is one, and what it is
		default:
			out = append(out, fmt.Append([]byte{1}, v))
		}
	}
	return out
}

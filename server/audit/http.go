package audit

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"aovuon/server/ledger"
)

// Remote is a server that is audited over HTTP, at its /ledger/ addresses.
type Remote struct {
	URL  string // of the ledger: https://htx.example/ledger
	HTTP *http.Client
}

// How much one answer may be, and how often a server that is busy is asked again.
const (
	maxAnswer = 64 << 20
	attempts  = 5
	pause     = 2 * time.Second
)

func (s *Remote) get(ctx context.Context, path string) ([]byte, error) {
	for try := 1; ; try++ {
		raw, again, err := s.once(ctx, path)
		if !again || try == attempts {
			return raw, err
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil, ctx.Err()
		case <-t.C:
		}
	}
}

func (s *Remote) once(ctx context.Context, path string) (raw []byte, again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(s.URL, "/")+path, nil)
	if err != nil {
		return nil, false, err
	}
	resp, err := s.HTTP.Do(req)
	if err != nil {
		return nil, true, err
	}
	raw, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, true, err
	}
	switch {
	case len(raw) > maxAnswer:
		return nil, false, fmt.Errorf("%s: an answer of more than %d bytes", path, maxAnswer)
	case resp.StatusCode == http.StatusOK:
		return raw, false, nil
	case resp.StatusCode == http.StatusNotFound:
		return nil, false, fmt.Errorf("%s: %w", path, ErrAbsent)
	case resp.StatusCode == http.StatusForbidden:
		return nil, false, fmt.Errorf("%s: %w", path, ErrClosed)
	}
	return nil, resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests, fmt.Errorf("%s: %s", path, resp.Status)
}

// Checkpoint implements Source.
func (s *Remote) Checkpoint(ctx context.Context) ([]byte, error) {
	raw, err := s.get(ctx, "/checkpoint")
	if errors.Is(err, ErrAbsent) {
		err = fmt.Errorf("%w: is %s the address of the ledger? A server's ends in /ledger", err, s.URL)
	}
	return raw, err
}

// Tile implements Source.
func (s *Remote) Tile(ctx context.Context, path string) ([]byte, error) {
	return s.get(ctx, "/tile/"+path)
}

// Body implements Source.
func (s *Remote) Body(ctx context.Context, n int64) (salt, body []byte, err error) {
	raw, err := s.get(ctx, fmt.Sprintf("/body/%d", n))
	if err != nil {
		return nil, nil, err
	}
	var b struct{ Salt, Body string }
	if err := json.Unmarshal(raw, &b); err != nil {
		return nil, nil, fmt.Errorf("body %d: %w", n, err)
	}
	salt, errS := base64.StdEncoding.DecodeString(b.Salt)
	body, errB := base64.StdEncoding.DecodeString(b.Body)
	return salt, body, errors.Join(errS, errB)
}

// Batches implements Source.
func (s *Remote) Batches(ctx context.Context, n int64) ([][]byte, error) {
	raw, err := s.get(ctx, fmt.Sprintf("/batches/%d", n))
	if err != nil {
		return nil, err
	}
	return splitBatches(raw)
}

func splitBatches(raw []byte) ([][]byte, error) {
	var out [][]byte
	for len(raw) > 0 {
		if len(raw) < 4 || uint64(len(raw)-4) < uint64(binary.BigEndian.Uint32(raw)) {
			return nil, errors.New("batches: cut off")
		}
		size := int(binary.BigEndian.Uint32(raw))
		out, raw = append(out, raw[4:4+size]), raw[4+size:]
	}
	return out, nil
}

// Rows implements Source.
func (s *Remote) Rows(ctx context.Context) ([]ledger.Row, error) {
	raw, err := s.get(ctx, "/rows")
	if err != nil {
		return nil, err
	}
	var rows []ledger.Row
	if err := json.Unmarshal(raw, &rows); err != nil {
		return nil, fmt.Errorf("rows: %w", err)
	}
	return rows, nil
}

package witness

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"aovuon/server/ledger"
)

// maxRequest bounds a request: 63 hashes and a checkpoint with many signatures are far smaller.
const maxRequest = 64 << 10

// maxProof is how many lines a consistency proof may have.
const maxProof = 63

// Handler answers POST /add-checkpoint.
func Handler(w *Witness, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxRequest))
		if err != nil {
			http.Error(rw, ErrMalformed.Error(), http.StatusBadRequest)
			return
		}
		old, proof, checkpoint, err := parseRequest(body)
		var lines []byte
		if err == nil {
			lines, err = w.Add(r.Context(), old, proof, checkpoint)
		}
		answer(rw, lines, err, log)
	})
	return mux
}

func answer(rw http.ResponseWriter, lines []byte, err error, log *slog.Logger) {
	status := http.StatusOK
	switch stale, isStale := errors.AsType[*ledger.StaleError](err); {
	case err == nil:
	case isStale:
		rw.Header().Set("Content-Type", "text/x.tlog.size")
		status, lines = http.StatusConflict, fmt.Appendf(nil, "%d\n", stale.Size)
	case errors.Is(err, ErrUnknownLog):
		status = http.StatusNotFound
	case errors.Is(err, ErrUnsigned):
		status = http.StatusForbidden
	case errors.Is(err, ErrRewritten):
		status = http.StatusUnprocessableEntity
		log.Error("a head was refused that does not extend the one seen: its log has rewritten its past", slog.Any("err", err))
	case errors.Is(err, ErrOldTooBig), errors.Is(err, ErrMalformed):
		status = http.StatusBadRequest
	default:
		log.Error("head not kept", slog.Any("err", err))
		http.Error(rw, "not kept: try again", http.StatusInternalServerError)
		return
	}
	if status != http.StatusOK && lines == nil {
		http.Error(rw, err.Error(), status)
		return
	}
	rw.WriteHeader(status)
	if _, err := rw.Write(lines); err != nil {
		log.Debug("asker left", slog.Any("err", err))
	}
}

// parseRequest reads "old N", proof lines, an empty line and the checkpoint. Errors wrap ErrMalformed.
func parseRequest(body []byte) (old int64, proof []tlog.Hash, checkpoint []byte, err error) {
	head, checkpoint, ok := bytes.Cut(body, []byte("\n\n"))
	if !ok {
		return 0, nil, nil, fmt.Errorf("%w: no empty line before the checkpoint", ErrMalformed)
	}
	lines := strings.Split(string(head), "\n")
	text, ok := strings.CutPrefix(lines[0], "old ")
	old, err = strconv.ParseInt(text, 10, 64)
	if !ok || err != nil || old < 0 || strconv.FormatInt(old, 10) != text {
		return 0, nil, nil, fmt.Errorf("%w: first line %q, want \"old N\"", ErrMalformed, lines[0])
	}
	if len(lines)-1 > maxProof {
		return 0, nil, nil, fmt.Errorf("%w: %d lines of proof, want at most %d", ErrMalformed, len(lines)-1, maxProof)
	}
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return 0, nil, nil, fmt.Errorf("%w: proof line %q", ErrMalformed, line)
		}
		proof = append(proof, h)
	}
	return old, proof, checkpoint, nil
}

// Client asks witnesses.
type Client struct {
	HTTP *http.Client // with a timeout
}

// Ask implements ledger.Asker. Refusals are errors of this package.
func (c *Client) Ask(ctx context.Context, url string, old int64, proof []tlog.Hash, checkpoint []byte) (lines []byte, err error) {
	var body bytes.Buffer
	fmt.Fprintf(&body, "old %d\n", old)
	for _, h := range proof {
		fmt.Fprintf(&body, "%s\n", base64.StdEncoding.EncodeToString(h[:]))
	}
	body.WriteString("\n")
	body.Write(checkpoint)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(url, "/")+"/add-checkpoint", &body)
	if err != nil {
		return nil, fmt.Errorf("witness: %w", err)
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("witness: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxRequest))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, fmt.Errorf("witness: %w", err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return raw, nil
	case http.StatusConflict:
		size, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
		if err != nil || size < 0 {
			return nil, fmt.Errorf("witness: answered 409 and no size")
		}
		return nil, &ledger.StaleError{Size: size}
	case http.StatusNotFound:
		return nil, ErrUnknownLog
	case http.StatusForbidden:
		return nil, ErrUnsigned
	case http.StatusUnprocessableEntity:
		return nil, ErrRewritten
	}
	return nil, fmt.Errorf("witness: answered %s", resp.Status)
}

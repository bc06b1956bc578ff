package update

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"aovuon/gateway/wire"
)

// stall is how long a transfer may bring nothing before it is begun again where it stands.
const stall = time.Minute

// errAbsent: the server has no such release.
var errAbsent = errors.New("the server has no such release: server release add FILE.release")

// newClient returns a client that asks nobody who the server is: what it sends is signed by the maker, and nothing that is
// asked is secret. So a gateway needs neither the server's authority nor a clock that certificates believe.
func newClient() *http.Client {
	dial := &net.Dialer{Timeout: 30 * time.Second}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dial.DialContext, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: 30 * time.Second, ResponseHeaderTimeout: 30 * time.Second, DisableKeepAlives: true, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// address is where a server has a file of a release.
func address(server string, v wire.Version, platform, ending string) string {
	return strings.TrimSuffix(server, "/") + "/releases/" + string(v) + "/" + strings.ReplaceAll(platform, "/", "-") + ending
}

// fetchManifest asks the server for a release.
func (u *Updater) fetchManifest(ctx context.Context, w Wish) (raw []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, stall)
	defer cancel()
	res, err := u.ask(ctx, address(w.URL, w.Version, u.o.Build.Platform, ".release"), 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	return io.ReadAll(io.LimitReader(res.Body, wire.MaxReleaseBytes+1))
}

// ask sends a GET for what begins at from.
func (u *Updater) ask(ctx context.Context, url string, from int64) (*http.Response, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("update: %w", err)
	}
	if from > 0 {
		q.Header.Set("Range", "bytes="+strconv.FormatInt(from, 10)+"-")
	}
	res, err := u.client.Do(q)
	if err != nil {
		return nil, fmt.Errorf("update: %w", err)
	}
	switch {
	case res.StatusCode == http.StatusOK, from > 0 && (res.StatusCode == http.StatusPartialContent || res.StatusCode == http.StatusRequestedRangeNotSatisfiable):
		return res, nil
	case res.StatusCode == http.StatusNotFound:
		err = errAbsent
	default:
		err = fmt.Errorf("the server answers %s", res.Status)
	}
	return nil, errors.Join(fmt.Errorf("update: %s: %w", url, err), res.Body.Close())
}

// fetchProgram brings the rest of a program onto the disk: what came in an earlier try stays.
func (u *Updater) fetchProgram(ctx context.Context, w Wish, r wire.Release) (err error) {
	f, err := os.OpenFile(u.o.Store.partFile(r), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("update: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("update: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	patience := time.AfterFunc(stall, cancel)
	defer patience.Stop()
	res, err := u.ask(ctx, address(w.URL, w.Version, u.o.Build.Platform, ".gz"), have)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	switch res.StatusCode {
	case http.StatusRequestedRangeNotSatisfiable: // all of it is here, or more than all: unpacking tells
		return nil
	case http.StatusOK: // from the beginning
		have = 0
		if err := f.Truncate(0); err != nil {
			return fmt.Errorf("update: %w", err)
		}
	}
	// A program shrinks when it is packed, or grows by a trifle: more is no program.
	if err := u.pour(ctx, f, res.Body, r.Size+r.Size/1000+1024-have, w.Rate, func() { patience.Reset(stall) }); err != nil {
		return fmt.Errorf("update: version %s: %w", w.Version, err)
	}
	return f.Sync()
}

// chunk is read at a time.
const chunk = 16 << 10

// pour copies at most limit bytes, and no more than rate bytes a second: readings go over the same link.
func (u *Updater) pour(ctx context.Context, to io.Writer, from io.Reader, limit int64, rate uint64, came func()) error {
	buf := make([]byte, chunk)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			came()
			if limit -= int64(n); limit < 0 {
				return fmt.Errorf("%w: the server sends more than it can be", ErrDamaged)
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return err
			}
			if err := u.o.Sleep(ctx, time.Duration(n)*time.Second/time.Duration(rate)); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

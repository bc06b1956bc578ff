// Package influx keeps the history in InfluxDB: 1.8, 2.x with a DBRP mapping, 3 Core.
//
// Points come in by Write, go to /api/v2/write through influxdb-client-go's blocking write API, and are in InfluxDB's
// write-ahead log when it returns; ranges, newest values and streams of points come back from InfluxQL on /query, the one
// language all three versions answer. The schema is in FORMAT.md.
package influx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
	"github.com/klauspost/compress/gzip"

	"aovuon/server/history"
)

// maxLines is how many points one request carries at most: more costs InfluxDB memory and gains nothing.
const maxLines = 5000

// Options say which InfluxDB.
type Options struct {
	URL      string // http://host:8086, without a path unless a proxy adds one
	Database string // what InfluxQL calls it
	// Policy is the retention policy within Database: a generation of the history. 1.8: a retention policy; 2.x: a bucket "bucket/policy" with its
	// DBRP mapping; 3 Core: a database "database/policy". Empty: the default one of 1.8, Bucket itself, Database itself.
	Policy   string
	Bucket   string // 2.x only: the bucket that Database is mapped to; empty: one of the same name
	Org      string // 2.x only, and needed there
	Username string // 1.8 with auth-enabled; empty: none is sent
	Password string
	Token    string // 2.x, 3 Core; excludes Username
	// Timeout is how long the server may take to begin its answer. 0: 30 s.
	Timeout time.Duration
}

// Store is one database in InfluxDB. It is safe for concurrent use.
type Store struct {
	opts    Options
	http    *http.Client
	client  influxdb2.Client
	write   api.WriteAPIBlocking
	lines   atomic.Int64 // what one request may carry; halved when the server calls it too large
	encoder encoder
	kind    atomic.Int32 // a flavour, once it is known
	single  atomic.Bool  // it takes one statement a query: 3 Core

	rolling sync.RWMutex // held to write points, and alone to make rollups
	todo    todo
}

var _ history.Store = (*Store)(nil)

// New returns a store. It does not connect: a server whose InfluxDB is down starts all the same, and its projector waits.
func New(o Options) (*Store, error) {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("history/influx: bad url: %w: %w", err, history.ErrConfiguration)
	case (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("history/influx: bad url: want http://host:port or https://host:port, user and password apart: %w", history.ErrConfiguration)
	case o.Database == "":
		return nil, fmt.Errorf("history/influx: no database named: %w", history.ErrConfiguration)
	case o.Token != "" && o.Username != "":
		return nil, fmt.Errorf("history/influx: both a token and a user name: keep the one the server knows: %w", history.ErrConfiguration)
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	o.URL = strings.TrimSuffix(o.URL, "/")
	s := &Store{opts: o, http: &http.Client{Transport: &transport{opts: o, next: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: o.Timeout,
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       90 * time.Second,
	}}}}
	s.lines.Store(maxLines)
	s.todo.marks, s.todo.by = map[history.Series]map[span]struct{}{}, map[history.Series]string{}
	options := influxdb2.DefaultOptions().SetPrecision(time.Millisecond).SetApplicationName("aovuon").SetHTTPClient(s.http)
	s.client = influxdb2.NewClientWithOptions(o.URL, "", options)
	s.write = s.client.WriteAPIBlocking(o.Org, s.bucket())
	return s, nil
}

// Close drops the connections.
func (s *Store) Close() error {
	s.client.Close()
	s.http.CloseIdleConnections()
	return nil
}

// transport signs in, compresses what is sent, and lifts out of error answers what influxdb-client-go does not look for:
// the reason, where it is hidden in the body, and whether InfluxDB gave the answer at all.
type transport struct {
	opts Options
	next *http.Transport
	zips sync.Pool // of *gzip.Writer
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	switch {
	case t.opts.Token != "" && strings.Contains(req.URL.Path, "/api/v3/"): // 3 Core's own endpoints know this word alone
		req.Header.Set("Authorization", "Bearer "+t.opts.Token)
	case t.opts.Token != "":
		req.Header.Set("Authorization", "Token "+t.opts.Token)
	case t.opts.Username != "":
		// Not 1.8's "Token user:password": that one cannot carry a space.
		req.SetBasicAuth(t.opts.Username, t.opts.Password)
	}
	if err := t.compress(req); err != nil {
		return nil, err
	}
	resp, err := t.next.RoundTrip(req)
	if err != nil || resp.StatusCode < 400 || resp.Header.Get(errorHeader) != "" {
		return resp, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if !ofInflux(resp.Header, body) {
		resp.Header.Set(foreignHeader, "true")
	}
	resp.Header.Set(errorHeader, reason(body))
	return resp, nil
}

// CloseIdleConnections is what http.Client looks for.
func (t *transport) CloseIdleConnections() { t.next.CloseIdleConnections() }

const (
	errorHeader   = "X-Influxdb-Error" // where 1.8 says what was wrong
	foreignHeader = "X-Aovuon-Foreign" // set by transport alone: not InfluxDB gave this answer
)

// ofInflux tells an error answer of InfluxDB from one of a proxy before it, or of a port that wants TLS. 1.8 and 2.x name
// themselves in every answer. 3 Core does not, but says what is wrong with lines in a JSON object, whose end may be cut off.
func ofInflux(h http.Header, body []byte) bool {
	if h.Get("X-Influxdb-Version") != "" || h.Get("X-Platform-Error-Code") != "" {
		return true
	}
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return (err == nil && kind == "application/json") || bytes.HasPrefix(bytes.TrimSpace(body), []byte("{"))
}

// reason reads the error texts of 1.8 and 3 Core ("error", "data") and of 2.x ("message").
func reason(body []byte) string {
	var e struct {
		Error   string `json:"error"`
		Message string `json:"message"`
		Data    []struct {
			Message string `json:"error_message"`
		} `json:"data"`
	}
	text := strings.TrimSpace(string(body[:min(len(body), 500)]))
	if err := json.Unmarshal(body, &e); err == nil && e.Error+e.Message != "" {
		text = e.Error + e.Message
		if len(e.Data) > 0 {
			text += ": " + e.Data[0].Message
		}
	}
	return strings.Map(func(r rune) rune { // fit for a header
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}

// compress replaces the body of a write by its gzip form, at the level that costs least: line protocol shrinks to a tenth
// at any level.
func (t *transport) compress(req *http.Request) error {
	if req.Body == nil || !strings.HasSuffix(req.URL.Path, "/api/v2/write") {
		return nil
	}
	var b bytes.Buffer
	z, ok := t.zips.Get().(*gzip.Writer) // making one costs more than compressing by it
	if ok {
		z.Reset(&b)
	} else {
		var err error
		if z, err = gzip.NewWriterLevel(&b, gzip.BestSpeed); err != nil {
			return err
		}
	}
	_, err := io.Copy(z, req.Body)
	if err := errors.Join(err, z.Close(), req.Body.Close()); err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	t.zips.Put(z)
	req.Header.Set("Content-Encoding", "gzip")
	req.ContentLength = int64(b.Len())
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
	req.Body, err = req.GetBody()
	return err
}

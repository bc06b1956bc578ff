package panel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"aovuon/gateway/measure"
)

const (
	askWithin   = 3 * time.Second
	freshFor    = 2 * time.Second // pages ask often; the server is asked once for all of them
	mostAnswer  = 8 << 20         // bytes
	dayFreshFor = 20 * time.Second
)

// ProductPlace is a place as the server's API has it (GET /api/places).
type ProductPlace struct {
	Code   string          `json:"code"`
	Name   string          `json:"name"`
	Title  string          `json:"title"`
	State  string          `json:"state"` // fine, noted, warned, lost, danger
	Series []ProductNewest `json:"series"`
}

// ProductNewest is the newest reading of a series.
type ProductNewest struct {
	Quantity measure.Quantity    `json:"quantity"`
	Gateway  string              `json:"gateway"`
	Sensor   string              `json:"sensor"`
	Time     time.Time           `json:"time,omitzero"` // zero: there never was one
	Value    *float64            `json:"value"`         // absent where there is none
	Quality  string              `json:"quality"`
	Reason   measure.FaultReason `json:"reason"`
	State    string              `json:"state"`
}

// ProductSeries is a day of one series (GET /api/series).
type ProductSeries struct {
	Sensor string        `json:"sensor"`
	Steps  []ProductStep `json:"steps"`
}

// ProductStep is the mean of some minutes; absent where nothing was measured.
type ProductStep struct {
	Start time.Time `json:"start"`
	Mean  *float64  `json:"mean"`
}

// Server asks the product's server what it makes of the field. It is safe for concurrent use.
type Server struct {
	base string
	http *http.Client
	now  func() time.Time

	mu     sync.Mutex
	places map[string]answer // by language
	days   map[string]day
}

type answer struct {
	at     time.Time
	places []ProductPlace
	err    error
}

type day struct {
	at     time.Time
	series []ProductSeries
}

// NewServer returns who asks the server at an address such as http://127.0.0.1:8080.
func NewServer(address string, now func() time.Time) (*Server, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("panel: product %q: want the address of the server's pages, such as http://127.0.0.1:8080", address)
	}
	// A transport of its own: an idle connection of the default one would outlive the page.
	return &Server{
		base: strings.TrimRight(address, "/"), now: now, places: make(map[string]answer), days: make(map[string]day),
		http: &http.Client{Timeout: askWithin, Transport: &http.Transport{MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second, Proxy: nil}},
	}, nil
}

// Close ends idle connections.
func (s *Server) Close() { s.http.CloseIdleConnections() }

// Address implements Product.
func (s *Server) Address() string { return s.base }

// Places implements Product. An answer is used for two seconds, whoever asks; so is a failure.
func (s *Server) Places(ctx context.Context, lang string) ([]ProductPlace, error) {
	s.mu.Lock()
	defer s.mu.Unlock() // others wait for the answer under way and share it
	if last, ok := s.places[lang]; ok && fresh(s.now(), last.at, freshFor) {
		return last.places, last.err
	}
	var said struct {
		Places []ProductPlace `json:"places"`
	}
	err := s.ask(ctx, "/api/places?lang="+url.QueryEscape(lang), &said)
	if errors.Is(err, context.Canceled) { // of the one who asked, not of the server
		return nil, err
	}
	s.places[lang] = answer{at: s.now(), places: said.Places, err: err}
	return said.Places, err
}

// fresh reports whether an answer got at some instant is good enough now, also after somebody has set the clock back.
func fresh(now, at time.Time, length time.Duration) bool {
	return now.Sub(at) < length && !now.Before(at)
}

// Day implements Product.
func (s *Server) Day(ctx context.Context, code string, q measure.Quantity) ([]ProductSeries, error) {
	key := code + " " + string(q)
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.days[key]; ok && fresh(s.now(), d.at, dayFreshFor) {
		return d.series, nil
	}
	var said struct {
		Series []ProductSeries `json:"series"`
	}
	if err := s.ask(ctx, "/api/series?range=24h&place="+url.QueryEscape(code)+"&quantity="+url.QueryEscape(string(q)), &said); err != nil {
		return nil, err
	}
	s.days[key] = day{at: s.now(), series: said.Series}
	return said.Series, nil
}

func (s *Server) ask(ctx context.Context, path string, into any) (err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("panel: %w", err)
	}
	res, err := s.http.Do(req)
	if err != nil {
		return fmt.Errorf("panel: %w", err)
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
	if err != nil {
		return fmt.Errorf("panel: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("panel: %s answers %s", s.base, res.Status)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("panel: %s is no server of AoVườn: %w", s.base, err)
	}
	return nil
}

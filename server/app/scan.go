package app

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"time"

	"aovuon/server/trace/flow"
	"aovuon/server/trace/scan"
)

// TraceConfig is what the co-op decides of its codes and goods.
type TraceConfig struct {
	Prefix    string         `yaml:"gs1_prefix"` // GS1 company prefix, 7 to 10 digits: boxes and probes get numbers of GS1's; empty: numbers of the co-op's own
	GLN       string         `yaml:"gln"`        // of the co-op, 13 digits: its places have one, the place's code as extension; empty: addresses on its own host
	Yields    []flow.Yield   `yaml:"yields"`     // instead of those of flow.Defaults for the same step and branch
	Densities []flow.Density `yaml:"densities"`  // likewise
	Scan      ScanConfig     `yaml:"scan"`
}

// ScanConfig says what is known of scans' addresses, and how long scans are kept.
type ScanConfig struct {
	Regions  string   `yaml:"regions"`   // file with a table of address ranges and provinces (scan.ParseRegions); empty: addresses tell no province
	Own      []string `yaml:"own"`       // addresses or networks of the co-op itself: what is scanned there is a test
	KeepDays int      `yaml:"keep_days"` // single scans are forgotten after so many days
}

func defaultTrace() TraceConfig {
	return TraceConfig{Scan: ScanConfig{KeepDays: int(scan.Keep / (24 * time.Hour))}}
}

// check finds settings that cannot be meant.
func (t TraceConfig) check() *keyError {
	if wrong := t.checkGoods(); wrong != nil {
		return wrong
	}
	if _, err := t.Scan.own(); err != nil {
		return &keyError{"trace.scan.own", err.Error(), "write addresses or networks, such as [203.0.113.7, 192.168.1.0/24]"}
	}
	if t.Scan.KeepDays < 30 || t.Scan.KeepDays > 730 {
		return &keyError{"trace.scan.keep_days", strconv.Itoa(t.Scan.KeepDays), "write days, 30 to 730: the rules look at 30"}
	}
	return t.checkNumbers()
}

func (s ScanConfig) own() ([]netip.Prefix, error) { return networks(s.Own) }

// newScans makes what notes scans. It ends with Run.
func (s *running) newScans() (*scan.Service, error) {
	c := s.config.Trace.Scan
	own, err := c.own()
	if err != nil {
		return nil, err
	}
	var regions *scan.Regions
	if c.Regions != "" {
		f, err := os.Open(c.Regions)
		if err != nil {
			return nil, fmt.Errorf("trace.scan.regions: %w", err)
		}
		regions, err = scan.ParseRegions(f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("trace.scan.regions: %s: %w", c.Regions, err)
		}
	}
	return scan.New(scan.Options{
		Store: s.db, Limits: scan.Defaults(), Regions: regions, Own: own, Keep: time.Duration(c.KeepDays) * 24 * time.Hour,
		Random: rand.Reader, Now: s.now, Log: s.log,
	}), nil
}

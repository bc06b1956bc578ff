package scan

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
)

// Regions say which province an address belongs to, as the operator knows it. Nobody else is asked: an address alone tells no province. The
// nil Regions know none.
type Regions struct {
	spans []span // by first address; none overlaps another
}

type span struct {
	first, last netip.Addr
	province    string
}

// ErrRegions is wrapped by the errors of ParseRegions.
var ErrRegions = errors.New("scan: table of address ranges")

// Bounds of a table of address ranges.
const (
	maxRegions    = 200_000
	maxRegionLine = 200 // bytes
)

// ParseRegions reads a table of address ranges, one a line: NETWORK,PROVINCE such as "113.160.92.0/22,33" or FIRST-LAST,PROVINCE such as
// "14.160.0.0-14.160.7.255,01". PROVINCE is the two digits of Decision 19/2025/QĐ-TTg, 00 for abroad. Empty lines and those that begin with
// # say nothing, nor does a first line "network,province". Ranges must not overlap. Errors name line and mend and wrap ErrRegions.
func ParseRegions(r io.Reader) (*Regions, error) {
	var out Regions
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, maxRegionLine), maxRegionLine)
	line := 0
	lines := map[netip.Addr]int{}
	for in.Scan() {
		line++
		text := strings.TrimSpace(strings.TrimPrefix(in.Text(), "\ufeff"))
		if text == "" || strings.HasPrefix(text, "#") || line == 1 && text == "network,province" {
			continue
		}
		s, err := parseSpan(text)
		if err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrRegions, line, err)
		}
		if len(out.spans) == maxRegions {
			return nil, fmt.Errorf("%w: line %d: more than %d ranges: join neighbouring ones", ErrRegions, line, maxRegions)
		}
		if other, twice := lines[s.first]; twice {
			return nil, fmt.Errorf("%w: line %d: begins where line %d does: remove one", ErrRegions, line, other)
		}
		lines[s.first] = line
		out.spans = append(out.spans, s)
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("%w: line %d: %w", ErrRegions, line+1, err)
	}
	slices.SortFunc(out.spans, func(a, b span) int { return a.first.Compare(b.first) })
	for i := 1; i < len(out.spans); i++ {
		if a, b := out.spans[i-1], out.spans[i]; a.last.Compare(b.first) >= 0 {
			return nil, fmt.Errorf("%w: line %d: overlaps line %d: leave each address in one range only", ErrRegions,
				max(lines[a.first], lines[b.first]), min(lines[a.first], lines[b.first]))
		}
	}
	return &out, nil
}

func parseSpan(text string) (s span, err error) {
	network, province, ok := strings.Cut(text, ",")
	network, s.province = strings.TrimSpace(network), strings.Trim(strings.TrimSpace(province), `"`)
	if !ok || !ValidProvince(s.province) {
		return s, fmt.Errorf("%.60q: want NETWORK,PROVINCE with the two digits of one of the 34 provinces, such as 113.160.92.0/22,33", text)
	}
	if first, last, isRange := strings.Cut(network, "-"); isRange {
		if s.first, err = netip.ParseAddr(strings.TrimSpace(first)); err == nil {
			s.last, err = netip.ParseAddr(strings.TrimSpace(last))
		}
		if err != nil || s.first.BitLen() != s.last.BitLen() || s.last.Less(s.first) {
			return s, fmt.Errorf("%.60q: want FIRST-LAST of one family, the lower first", network)
		}
		return s, nil
	}
	p, err := netip.ParsePrefix(network)
	if err != nil || p != p.Masked() {
		return s, fmt.Errorf("%.60q: want a network such as 113.160.92.0/22, with nothing set behind its length", network)
	}
	s.first, s.last = p.Addr(), lastOf(p)
	return s, nil
}

// lastOf returns the highest address of a network.
func lastOf(p netip.Prefix) netip.Addr {
	raw := p.Addr().AsSlice()
	for i := range raw {
		if kept := p.Bits() - 8*i; kept < 8 {
			raw[i] |= byte(0xff >> max(kept, 0))
		}
	}
	a, _ := netip.AddrFromSlice(raw)
	return a
}

// Of returns the province an address belongs to; empty where nobody said.
func (r *Regions) Of(a netip.Addr) string {
	if r == nil || !a.IsValid() {
		return ""
	}
	a = a.Unmap()
	i, found := slices.BinarySearchFunc(r.spans, a, func(s span, a netip.Addr) int { return cmp.Compare(s.first.Compare(a), 0) })
	if !found {
		i--
	}
	if i < 0 || r.spans[i].last.Less(a) || r.spans[i].first.BitLen() != a.BitLen() {
		return ""
	}
	return r.spans[i].province
}

// addressOf reads an address as a page writes it: one, or the network of one.
func addressOf(s string) netip.Addr {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Addr()
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}

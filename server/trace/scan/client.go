package scan

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"time"

	"aovuon/server/farm"
)

// Client stands for one browser at one address on one day: half of a SHA-256 over both, keyed with random bytes that are drawn anew every day
// and are nowhere but in memory. When they are forgotten nobody can tell any more whose it was, and on another day the same browser is another
// Client. The zero Client is nobody.
type Client [16]byte

// salt keys the clients of one day.
type salt struct {
	random io.Reader
	day    string
	key    [32]byte
}

// client returns whose scan it is. The day is the co-op's; with it the key before is overwritten.
func (s *salt) client(addr, agent string, at time.Time) (c Client, err error) {
	if day := at.In(farm.Time()).Format(time.DateOnly); s.day == "" || day > s.day { // a scan that waited over midnight is keyed with the new day
		if _, err := io.ReadFull(s.random, s.key[:]); err != nil {
			return Client{}, fmt.Errorf("scan: key of the day: %w", err)
		}
		s.day = day
	}
	h := sha256.New()
	h.Write(s.key[:])
	var size [4]byte
	for _, part := range []string{addr, agent} {
		binary.BigEndian.PutUint32(size[:], uint32(len(part)))
		h.Write(size[:])
		h.Write([]byte(part))
	}
	copy(c[:], h.Sum(nil))
	return c, nil
}

// forget overwrites the key of a day that is over.
func (s *salt) forget(now time.Time) {
	if s.day != "" && now.In(farm.Time()).Format(time.DateOnly) > s.day {
		s.day, s.key = "", [32]byte{}
	}
}

// robots are parts of the names of programs that ask for a page with nobody reading it: search engines, and those that draw a preview where a
// link is sent to friends. They say so themselves.
func robots() []string {
	return []string{
		"bot", "crawl", "spider", "slurp", "preview", "facebookexternalhit", "facebookcatalog", "whatsapp/", "zalo-pc", "skypeuripreview", "embedly",
		"curl/", "wget/", "python", "go-http-client", "okhttp", "java/", "libwww", "headlesschrome", "lighthouse", "scrapy", "axios/", "node-fetch",
	}
}

// robot reports whether a browser's name is that of a program; an empty one is, too: every browser has a name.
func robot(agent string) bool {
	agent = strings.ToLower(agent)
	for _, part := range robots() {
		if strings.Contains(agent, part) {
			return true
		}
	}
	return agent == ""
}

// young keeps what was put there lately in two maps: when one is full or old, the other goes. It holds at most 2·most, and never grows with
// what strangers send.
type young[K comparable, V any] struct {
	most      int
	lasts     time.Duration // what is older than that may be forgotten; younger than half of it only where there are too many
	since     time.Time     // of now
	now, then map[K]V
}

func newYoung[K comparable, V any](most int, lasts time.Duration) *young[K, V] {
	return &young[K, V]{most: most, lasts: lasts, now: map[K]V{}, then: map[K]V{}}
}

func (y *young[K, V]) get(k K) (v V, ok bool) {
	if v, ok = y.now[k]; !ok {
		v, ok = y.then[k]
	}
	return v, ok
}

func (y *young[K, V]) put(k K, v V, at time.Time) {
	if len(y.now) >= y.most || at.Sub(y.since) > y.lasts {
		y.then, y.now, y.since = y.now, map[K]V{}, at
	}
	y.now[k] = v
}

func (y *young[K, V]) drop(k K) {
	delete(y.now, k)
	delete(y.then, k)
}

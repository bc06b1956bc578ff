package fleet

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
)

// The files of a fleet's folder; FORMAT.md describes them.
const (
	gatewaysFile = "gateways.jsonl"
	cardsFile    = "cards.txt"
	farmFile     = "farm.yaml"
	chainsFile   = "chains.jsonl"
	lockFile     = "lock"
)

// MaxGateways is the largest fleet.
const MaxGateways = 10_000

// enlisted is a line of gatewaysFile.
type enlisted struct {
	Gateway  string   `json:"gateway"`
	Key      string   `json:"key"`  // signing key, as a gateway's key file holds it
	VKey     string   `json:"vkey"` // its public half
	Password string   `json:"password"`
	Places   []string `json:"places"` // board codes of its pond and its plot
}

// Enlist makes a folder with keys, cards and a farm for n gateways named prefix-0001 and so on, or adds to one that has fewer.
// It returns how many were made. What is there stays as it is.
func Enlist(dir, prefix string, n int) (made int, err error) {
	if n < 1 || n > MaxGateways {
		return 0, fmt.Errorf("fleet: %d gateways: want 1 to %d", n, MaxGateways)
	}
	if !wire.ValidGatewayID(prefix + "-0001") {
		return 0, fmt.Errorf("fleet: prefix %q: want small letters, digits and hyphens, at most 34", prefix)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, fmt.Errorf("fleet: %w", err)
	}
	all, err := readEnlisted(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	for ; len(all) < n; made++ {
		e, err := newEnlisted(fmt.Sprintf("%s-%04d", prefix, len(all)+1))
		if err != nil {
			return 0, err
		}
		all = append(all, e)
	}
	return made, writeEnlisted(dir, all)
}

func newEnlisted(gateway string) (e enlisted, err error) {
	e.Gateway = gateway
	if e.Key, e.VKey, err = note.GenerateKey(rand.Reader, gateway); err != nil {
		return e, fmt.Errorf("fleet: key of %s: %w", gateway, err)
	}
	var secret [32]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return e, fmt.Errorf("fleet: password of %s: %w", gateway, err)
	}
	e.Password = hex.EncodeToString(secret[:])
	for range 2 {
		code, err := newCode()
		if err != nil {
			return e, err
		}
		e.Places = append(e.Places, code)
	}
	return e, nil
}

// writeEnlisted writes the gateways last: a folder that has them has their cards and their farm.
func writeEnlisted(dir string, all []enlisted) error {
	var lines, cards bytes.Buffer
	enc := json.NewEncoder(&lines)
	for _, e := range all {
		if err := enc.Encode(e); err != nil {
			return fmt.Errorf("fleet: %w", err)
		}
		cards.WriteString(wire.NewCard(e.Gateway, e.VKey, e.Password).String())
	}
	for _, f := range []struct {
		name string
		data []byte
	}{{cardsFile, cards.Bytes()}, {farmFile, farmOf(all)}, {gatewaysFile, lines.Bytes()}} {
		if err := wire.WriteFile(filepath.Join(dir, f.name), f.data, 0o600); err != nil {
			return fmt.Errorf("fleet: %w", err)
		}
	}
	return nil
}

func readEnlisted(dir string) (all []enlisted, err error) {
	err = eachLine(filepath.Join(dir, gatewaysFile), func(line []byte) error {
		var e enlisted
		if err := json.Unmarshal(line, &e); err != nil {
			return err
		}
		if !wire.ValidGatewayID(e.Gateway) || len(e.Places) != 2 {
			return fmt.Errorf("gateway %q with %d places", e.Gateway, len(e.Places))
		}
		all = append(all, e)
		return nil
	})
	return all, err
}

// codeAlphabet is Crockford's base32, of which board codes are made (server/farm says how).
const codeAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// newCode draws a board code: eight characters and the one that makes the nine, as a polynomial over GF(32) with
// x^5 + x^2 + 1, zero at 2.
func newCode() (string, error) {
	var b [9]byte
	if _, err := rand.Read(b[:8]); err != nil {
		return "", fmt.Errorf("fleet: board code: %w", err)
	}
	sum := 0
	for i := range 8 {
		v := int(b[i] & 31)
		b[i] = codeAlphabet[v]
		if sum = (sum ^ v) << 1; sum > 31 {
			sum ^= 0b100101
		}
	}
	b[8] = codeAlphabet[sum]
	return string(b[:]), nil
}

// farmOf is the farm file with which the server knows where the probes of the fleet are: a pond and a plot for each gateway.
func farmOf(all []enlisted) []byte {
	var b strings.Builder
	b.WriteString(`# The farm of a simulated fleet: a pond and a plot for each gateway.
coop:
  name: { vi: Đội trạm mô phỏng, en: Simulated fleet }
  demo: true
zones:
  - { id: fleet, name: { vi: Đội trạm mô phỏng, en: Simulated fleet } }
places:
`)
	for _, e := range all {
		fmt.Fprintf(&b, "  - { code: %s, name: %s, kind: pond, title: { vi: Ao %s, en: Pond %s }, zone: fleet, holds: { vi: cá rô phi, en: tilapia } }\n", e.Places[0], Pond(e.Gateway), e.Gateway, e.Gateway)
		fmt.Fprintf(&b, "  - { code: %s, name: %s, kind: plot, title: { vi: Ruộng %s, en: Plot %s }, zone: fleet, holds: { vi: khoai tây, en: potato } }\n", e.Places[1], Plot(e.Gateway), e.Gateway, e.Gateway)
	}
	b.WriteString("mounts:\n")
	for _, e := range all {
		for cs := channelsOf(e.Gateway); len(cs) > 0; {
			probe := cs[0]
			var measures []string
			for ; len(cs) > 0 && cs[0].sensor == probe.sensor; cs = cs[1:] {
				measures = append(measures, string(cs[0].quantity))
			}
			fmt.Fprintf(&b, "  - { gateway: %s, sensor: %s, place: %s, measures: [%s] }\n", e.Gateway, probe.sensor, probe.place, strings.Join(measures, ", "))
		}
	}
	return []byte(b.String())
}

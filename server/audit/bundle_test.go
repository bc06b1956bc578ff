package audit_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	mrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"aovuon/server/audit"
	"aovuon/server/ledger"
	"aovuon/server/parttest"
)

func (b *book) bundle() []byte {
	b.t.Helper()
	var out bytes.Buffer
	if err := audit.WriteBundle(b.t.Context(), b.db, b.demo.Lot.Link().Path(), b.logVKey, &out); err != nil {
		b.t.Fatal(err)
	}
	return out.Bytes()
}

func check(t *testing.T, raw []byte, p *ledger.Policy) (*audit.BundleReport, error) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, err
	}
	return audit.CheckBundle(t.Context(), z, p, t.TempDir())
}

// files unpacks a bundle; nil where it cannot be unpacked.
func files(raw []byte) map[string]string {
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil
	}
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil
		}
		text, err := io.ReadAll(r)
		if errors.Join(err, r.Close()) != nil {
			return nil
		}
		out[f.Name] = string(text)
	}
	return out
}

func pack(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, text := range files {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestBundle_IsCheckedWithNoServer(t *testing.T) {
	b := newBook(t)
	b.send(5) // after the seal: not in the bundle
	raw := b.bundle()
	r, err := check(t, raw, b.policy)
	if err != nil || len(r.Findings) > 0 || r.Batches != 24 || r.Readings != 144 || !r.Verdict.Quorum || r.Seal.Lot != b.demo.Lot.Link().Path() {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := check(t, raw, newBook(t).policy); err == nil {
		t.Error("the bundle of another ledger was believed")
	}
	var out bytes.Buffer
	if err := audit.WriteBundle(t.Context(), b.db, "/01/09521234010036/10/NONE", b.logVKey, &out); !errors.Is(err, audit.ErrNoSeal) {
		t.Errorf("a lot that nobody knows: %v", err)
	}
	good := files(raw)
	for name := range good {
		if name == "README.txt" || name == "ledger.vkey" {
			continue
		}
		less := maps.Clone(good)
		delete(less, name)
		if _, err := check(t, pack(t, less), b.policy); err == nil {
			t.Errorf("without %s it was believed", name)
		}
	}
}

// A gateway has a new key, a new memory card and a new key again while the lot grows: the bundle has all that it takes to check it.
func TestBundle_FollowsTheKeysOfAGateway(t *testing.T) {
	b := newBook(t)
	b.rotate()
	b.send(4) // the chain goes on under the new key
	b.rotate()
	b.begin("0000000000000000") // stands before the first in the seal, and was signed with a newer key
	b.send(40)
	b.sealLot()
	b.sign()
	b.rotate() // after the seal: not in the bundle
	b.sign()
	raw := b.bundle()
	r, err := check(t, raw, b.policy)
	if err != nil || len(r.Findings) > 0 || r.Batches != 68 {
		t.Fatalf("%+v, %v", r, err)
	}
	good := files(raw)
	if _, ok := good["gateway-"+gateway+"/4.json"]; ok || good["gateway-"+gateway+"/3.json"] == "" {
		t.Error("the bundle has other keys than those of before the seal")
	}
	for _, name := range []string{"/2.tlog-proof", "/2.json", "/3.tlog-proof", "/3.json"} {
		less := maps.Clone(good)
		delete(less, "gateway-"+gateway+name)
		if _, err := check(t, pack(t, less), b.policy); err == nil {
			t.Errorf("without %s it was believed", name)
		}
	}
	twice := maps.Clone(good) // the first key again where the second belongs
	twice["gateway-"+gateway+"/2.json"], twice["gateway-"+gateway+"/2.tlog-proof"] = good["gateway-"+gateway+".json"], good["gateway-"+gateway+".tlog-proof"]
	if _, err := check(t, pack(t, twice), b.policy); err == nil {
		t.Error("another key in the place of one that followed was believed")
	}
}

// One bit after the other of what is packed is flipped: all of it is refused.
func TestBundle_EveryFlippedBitIsRefused(t *testing.T) {
	b := newBook(t)
	good := files(b.bundle())
	r := mrand.New(mrand.NewPCG(3, 5))
	n := parttest.Effort(t, 60, 200, 5000, 5000)
	names := []string{}
	for name := range good {
		if name != "README.txt" && name != "ledger.vkey" {
			names = append(names, name)
		}
	}
	for range n {
		name := names[r.IntN(len(names))]
		text := []byte(good[name])
		at, bit := r.IntN(len(text)), r.IntN(8)
		text[at] ^= 1 << bit
		bad := maps.Clone(good)
		bad[name] = string(text)
		if rep, err := check(t, pack(t, bad), b.policy); err == nil && len(rep.Findings) == 0 {
			t.Fatalf("%s: bit %d of byte %d (%q) flipped: believed", name, bit, at, good[name][at])
		}
	}
	t.Logf("%d flipped bits refused", n)
}

func FuzzCheckBundle(f *testing.F) {
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := ledger.ParsePolicy("p", []byte("quorum none\n"))
		if err != nil {
			t.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			return
		}
		if r, err := audit.CheckBundle(t.Context(), z, p, t.TempDir()); err == nil {
			t.Error(fmt.Sprint(r))
		}
	})
}

// Whoever unpacks a bundle sees when the newest record in it was made; asked for again it is the same bytes.
func TestBundle_HasTheDateOfItsNewestRecord(t *testing.T) {
	b := newBook(t)
	dated := func(what string, of func(*audit.BundleReport) ledger.Verdict) {
		t.Helper()
		raw := b.bundle()
		if !bytes.Equal(raw, b.bundle()) {
			t.Errorf("%s: asked for twice it is other bytes", what)
		}
		r, err := check(t, raw, b.policy)
		if err != nil {
			t.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			t.Fatal(err)
		}
		want := of(r).Leaf.Time.Truncate(time.Second)
		for _, f := range z.File {
			if _, zone := f.Modified.Zone(); !f.Modified.Equal(want) || zone != 7*60*60 {
				t.Errorf("%s: %s is of %v, want %v in Viet Nam's time", what, f.Name, f.Modified, want)
			}
		}
	}
	dated("sealed", func(r *audit.BundleReport) ledger.Verdict { return r.Verdict })
	b.goods(func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	})
	b.sign()
	dated("released", func(r *audit.BundleReport) ledger.Verdict { return r.Released })
}

package account

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The vectors of RFC 6238, appendix B, SHA-1, the last six of their eight digits.
func TestCodes_AreRFC6238s(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := CodeNow(secret, time.Unix(at, 0)); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

func TestMatchCode_TakesOneStepEitherWay(t *testing.T) {
	secret, now := []byte("12345678901234567890"), time.Unix(1234567890, 0)
	for skew, want := range map[int64]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		at := stepOf(now) + skew
		step, ok := matchCode(secret, codeAt(secret, at), now)
		if ok != want || ok && step != at {
			t.Errorf("%d steps off: %t at %d", skew, ok, step)
		}
	}
	for _, bad := range []string{"", "0059", "00592 ", "0059244", "٠٠٥٩٢٤", "005924\x00"} {
		if _, ok := matchCode(secret, bad, now); ok {
			t.Errorf("%q was taken", bad)
		}
	}
	if _, ok := matchCode(secret, "005 924", now); !ok {
		t.Error("a space within the code was not forgiven")
	}
}

func TestCheckPassword(t *testing.T) {
	for password, want := range map[string]error{
		"short": ErrShort, "elevenchars": ErrShort, strings.Repeat("ab cd ef gh ", 11): ErrShort, "\xff\xfe\xfdabcdefghijkl": ErrShort,
		"123456789012": ErrCommon, "passwordpassword": ErrCommon, "P@ssw0rd1234": ErrCommon, "matkhau123456": ErrCommon, "Mật khẩu 2026!!": ErrCommon,
		"aaaaaaaaaaaaaaaa": ErrCommon, "qwertyuiop123": ErrCommon, "1111111111111": ErrCommon, "anhyeuem2026": ErrCommon, "admin@12345678": ErrCommon,
		"aovuon-bi-mat-xyz": ErrNamed, "lan.anh rất khéo tay": ErrNamed, "htx-demo-zwk-plf": ErrNamed, "htx d3mo zwk plf": ErrNamed,
		"correct horse battery staple": nil, "bờ ruộng thuyền kèn": nil, "Xk9#mQ2vLp7w": nil,
	} {
		if err := CheckPassword(password, "lan.anh", "htx-demo"); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", password, err, want)
		}
	}
	if n := len(strings.Fields(commonWords)); n < 250 {
		t.Errorf("%d common words", n)
	}
	words := strings.Fields(commonWords)
	for i := 1; i < len(words); i++ {
		if len(words[i]) > len(words[i-1]) {
			t.Errorf("%s stands after the shorter %s", words[i], words[i-1])
		}
	}
}

// TestHasher_WorksTwoAtOnce: 50 people sign in at once, and the memory of two is used.
func TestHasher_WorksTwoAtOnce(t *testing.T) {
	h := NewHasher()
	var now, most, calls, kib atomic.Int64
	inner := h.kdf
	entered := make(chan struct{}, 64)
	h.kdf = func(password, salt []byte, p params, length uint32) []byte {
		n := now.Add(1)
		defer now.Add(-1)
		for {
			m := most.Load()
			if n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		calls.Add(1)
		kib.Store(int64(p.memory))
		entered <- struct{}{}
		return inner(password, salt, p, length)
	}
	hash, err := h.Hash(t.Context(), "bờ ruộng thuyền kèn")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if ok, stale, err := h.Check(t.Context(), hash, "bờ ruộng thuyền kèn"); !ok || stale || err != nil {
				t.Errorf("%t, %t, %v", ok, stale, err)
			}
		})
	}
	wg.Wait()
	if most.Load() > 2 || kib.Load() != 19<<10 || calls.Load() != 51 {
		t.Errorf("%d at once of %d KiB each, %d calls", most.Load(), kib.Load(), calls.Load())
	}
	t.Logf("50 at once: %d hashed together, %d MiB", most.Load(), most.Load()*kib.Load()>>10)
	ctx, cancel := context.WithCancel(t.Context())
	h.free <- struct{}{}
	h.free <- struct{}{}
	cancel()
	if _, _, err := h.Check(ctx, hash, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("whoever left still waits: %v", err)
	}
}

func TestHasher_SameWorkForNobody(t *testing.T) {
	h := NewHasher()
	var work []params
	h.kdf = func(_, _ []byte, p params, length uint32) []byte {
		work = append(work, p)
		return make([]byte, length)
	}
	if ok, _, err := h.Check(t.Context(), "", "anything"); ok || err != nil {
		t.Errorf("nobody's password was right: %v", err)
	}
	hash, err := h.Hash(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.Check(t.Context(), hash, "wrong"); err != nil {
		t.Fatal(err)
	}
	if len(work) != 3 || work[0] != work[2] {
		t.Errorf("work %v: an unknown login must cost what a wrong password costs", work)
	}
}

func TestHasher_OldParametersAreStale(t *testing.T) {
	h := NewHasher()
	old := NewHasher()
	old.params = params{memory: 8 << 10, passes: 1, lanes: 1}
	hash, err := old.Hash(t.Context(), "bờ ruộng thuyền kèn")
	if err != nil {
		t.Fatal(err)
	}
	if ok, stale, err := h.Check(t.Context(), hash, "bờ ruộng thuyền kèn"); !ok || !stale || err != nil {
		t.Errorf("%t, stale %t, %v", ok, stale, err)
	}
	// The same letters put together otherwise, as another keyboard writes them.
	if ok, _, err := h.Check(t.Context(), hash, "bơ\u0300 ruô\u0323ng thuyê\u0300n ke\u0300n"); !ok || err != nil {
		t.Errorf("decomposed letters: %t, %v", ok, err)
	}
	for _, bad := range []string{
		"x", "$argon2i$v=19$m=19456,t=2,p=1$AAAA$AAAA", "$argon2id$v=19$m=99999999,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=0,p=1$AAAA$AAAA", "$argon2id$v=19$m=19456,t=2,p=1$AAAA$",
	} {
		if ok, _, err := h.Check(t.Context(), bad, "x"); ok || err == nil {
			t.Errorf("%s: %t, %v", bad, ok, err)
		}
	}
}

func TestCardCode_EveryWrongCharacterAndSwapIsFound(t *testing.T) {
	code, err := newCardCode()
	if err != nil {
		t.Fatal(err)
	}
	typedCode := strings.ToLower(strings.NewReplacer("0", "o", "1", "l").Replace(ShowCode(code)))
	if got, err := ParseCard(" " + typedCode + " "); err != nil || got != code {
		t.Errorf("%s typed as %s: %s, %v", code, typedCode, got, err)
	}
	for i := range code {
		for _, r := range alphabet {
			if wrong := code[:i] + string(r) + code[i+1:]; wrong != code {
				if _, err := ParseCard(wrong); !errors.Is(err, ErrTyped) {
					t.Fatalf("%s was taken for %s", wrong, code)
				}
			}
		}
		if i > 0 && code[i] != code[i-1] {
			if _, err := ParseCard(code[:i-1] + string(code[i]) + string(code[i-1]) + code[i+1:]); !errors.Is(err, ErrTyped) {
				t.Fatalf("swap at %d was taken", i)
			}
		}
	}
}

func FuzzParseCard(f *testing.F) {
	f.Add("ABCDE-FGHJK-MNPQR-STVWX-YZ012-34")
	f.Add("")
	f.Add(strings.Repeat("o", 27))
	f.Fuzz(func(t *testing.T, s string) {
		code, err := ParseCard(s)
		if err != nil {
			if !errors.Is(err, ErrTyped) || code != "" {
				t.Fatalf("%q: %q, %v", s, code, err)
			}
			return
		}
		again, err := ParseCard(ShowCode(code))
		if err != nil || again != code || len(code) != cardRandom+1 {
			t.Fatalf("%q: %q is read as %q, %v", s, code, again, err)
		}
	})
}

func FuzzSecretURL(f *testing.F) {
	f.Add([]byte("12345678901234567890"), "HTX Phú Khê", "lan.anh")
	f.Add([]byte{0}, "a:b/c?d&e=f#g", "x%20+y")
	f.Fuzz(func(t *testing.T, secret []byte, issuer, login string) {
		u, err := url.Parse(SecretURL(secret, issuer, login))
		if err != nil {
			t.Fatalf("%q, %q: %v", issuer, login, err)
		}
		got, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(u.Query().Get("secret"))
		if err != nil || string(got) != string(secret) || u.Query().Get("issuer") != issuer || u.Scheme != "otpauth" || u.Host != "totp" ||
			u.Path != "/"+issuer+":"+login || len(u.Query()) != 5 {
			t.Fatalf("%q, %q: %s", issuer, login, u)
		}
		if back, err := ParseSecret(SecretText(secret)); (err == nil) != (len(secret) == secretLen) || err == nil && string(back) != string(secret) {
			t.Fatalf("secret %x: %x, %v", secret, back, err)
		}
	})
}

func TestCheckPIN(t *testing.T) {
	for pin, want := range map[string]bool{
		"4821": true, "90125634": true, "": false, "123": false, "1234": false, "4321": false, "0000": false, "123456789": false, "12a4": false, "٤٨٢١": false,
	} {
		if err := CheckPIN(pin); (err == nil) != want {
			t.Errorf("%q: %v", pin, err)
		}
	}
}

// Whoever goes from one process to the next is held back by what failed at the other, also when both knew him before.
func TestFailures_CountAcrossProcesses(t *testing.T) {
	now := time.Unix(0, 0)
	kept := tally{}
	var both []*Failures
	for range 2 {
		f := NewFailures(5, 15*time.Minute, func() time.Time { return now }, kept, plainName)
		f.shared = true
		both = append(both, f)
	}
	for i := range 6 {
		if _, err := both[i%2].Failed(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
	}
	for i, f := range both {
		if w, err := f.Wait(t.Context(), "a"); err != nil || w != time.Second {
			t.Errorf("process %d: waits %v, %v", i, w, err)
		}
	}
	if err := both[0].Good(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if w, err := both[1].Wait(t.Context(), "a"); err != nil || w != 0 {
		t.Errorf("after a success at the other: %v, %v", w, err)
	}
}

func TestFailures_HoldBackAndLetGo(t *testing.T) {
	now := time.Unix(0, 0)
	kept := tally{}
	f := NewFailures(5, 15*time.Minute, func() time.Time { return now }, kept, plainName)
	wait := func(key string) time.Duration {
		t.Helper()
		w, err := f.Wait(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	fail := func(key string) {
		t.Helper()
		if _, err := f.Failed(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	var waits []time.Duration
	for range 20 {
		fail("a")
		waits = append(waits, wait("a"))
		if len(waits) == 10 { // another process goes on where this one stopped
			f = NewFailures(5, 15*time.Minute, func() time.Time { return now }, kept, plainName)
			if w := wait("a"); w != waits[9] {
				t.Errorf("after a restart %s, want %s", w, waits[9])
			}
		}
		now = now.Add(wait("a"))
	}
	if waits[4] != 0 || waits[5] != time.Second || waits[6] != 2*time.Second || waits[19] != 15*time.Minute {
		t.Errorf("waits %v", waits)
	}
	if w := wait("a"); w != 0 {
		t.Errorf("the wait does not end: %s", w)
	}
	if wait("b") != 0 {
		t.Error("another key waits, too")
	}
	// Somebody who is let in earns no wait for others at the place, and takes away none that others earned.
	now = now.Add(time.Hour)
	for range 30 {
		fail("c")
		now = now.Add(wait("c"))
	}
	mine, err := f.Failed(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Undo(t.Context(), "c", mine); err != nil || wait("c") != 0 {
		t.Errorf("after a good one %s, %v", wait("c"), err)
	}
	if mine, err = f.Failed(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	fail("c")
	if err := f.Undo(t.Context(), "c", mine); err != nil || wait("c") != 15*time.Minute {
		t.Errorf("a good one took the wait of a bad one away: %s, %v", wait("c"), err)
	}
	for i := range maxKeys + 10 {
		fail(string(rune(i)))
	}
	if len(f.keys) > maxKeys {
		t.Errorf("%d keys", len(f.keys))
	}
}

// tally keeps counts in memory.
type tally map[string]Count

func (t tally) CountOf(_ context.Context, key []byte) (Count, error) { return t[string(key)], nil }
func (t tally) KeepCount(_ context.Context, key []byte, c Count) error {
	t[string(key)] = c
	return nil
}

func plainName(key string) [32]byte { return sha256.Sum256([]byte(key)) }

func TestVault_OpensWhatItSealedForTheSameAccountAlone(t *testing.T) {
	one, err := NewVault(make([]byte, VaultKeyLen))
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewVault([]byte("another key of thirty-two bytes!"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewVault([]byte("short")); err == nil {
		t.Error("a key of five bytes was taken")
	}
	secret := []byte("12345678901234567890")
	box, err := one.Seal("u-AAAAAAAA", secret)
	if err != nil || bytes.Contains(box, secret) {
		t.Fatalf("%x, %v", box, err)
	}
	again, err := one.Seal("u-AAAAAAAA", secret)
	if err != nil || bytes.Equal(box, again) {
		t.Errorf("twice the same box, %v", err)
	}
	if got, err := one.Open("u-AAAAAAAA", box); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := one.Open("u-BBBBBBBB", box); !errors.Is(err, ErrVault) {
		t.Errorf("moved to another account: %v", err)
	}
	if _, err := other.Open("u-AAAAAAAA", box); !errors.Is(err, ErrVault) {
		t.Errorf("with another key: %v", err)
	}
	for _, bad := range [][]byte{nil, {}, secret, box[:12], box[:len(box)-1]} {
		if _, err := one.Open("u-AAAAAAAA", bad); !errors.Is(err, ErrVault) {
			t.Errorf("%x: %v", bad, err)
		}
	}
	for i := range box {
		flipped := bytes.Clone(box)
		flipped[i] ^= 1
		if _, err := one.Open("u-AAAAAAAA", flipped); !errors.Is(err, ErrVault) {
			t.Errorf("byte %d flipped: %v", i, err)
		}
	}
	if one.name("192.0.2.1") == other.name("192.0.2.1") || one.name("192.0.2.1") == one.name("192.0.2.2") {
		t.Error("names tell what they are of, or not of which")
	}
}

func TestBucket(t *testing.T) {
	now := time.Unix(0, 0)
	b := NewBucket(3, time.Second, func() time.Time { return now })
	for i, want := range []bool{true, true, true, false} {
		if b.Take("a") != want {
			t.Errorf("take %d: want %t", i, want)
		}
	}
	now = now.Add(time.Second)
	if !b.Take("a") || b.Take("a") {
		t.Error("one comes back after a second, not two")
	}
	for i := range maxKeys + 10 {
		b.Take(string(rune(i)))
	}
	if len(b.keys) > maxKeys {
		t.Errorf("%d keys", len(b.keys))
	}
}

func TestRoles_AreTheTable(t *testing.T) {
	want := map[Role]string{
		Admin: "1111111111111", Technician: "1110011111110", Farmer: "1000011000100", Inspector: "1111101100100",
		Public: "0000000000000", "": "0000000000000", "root": "0000000000000",
	}
	for role, bits := range want {
		for i, a := range Actions() {
			if role.May(a) != (bits[i] == '1') {
				t.Errorf("%s may %s: %t", role, a, role.May(a))
			}
		}
	}
}

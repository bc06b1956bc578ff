package sqldb_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"aovuon/server/account"
	"aovuon/server/passkey"
	"aovuon/server/passkey/passkeytest"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

// bytesOf fails the test on an error.
func bytesOf(t *testing.T) func([]byte, error) []byte {
	return func(raw []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
}

// key makes a passkey of a visitor's.
func (c *coop) key(v *account.Visitor, name string) (*passkeytest.Key, account.Enrolled) {
	c.t.Helper()
	k := passkeytest.New(c.t, origin, "htx.example")
	e, err := c.AddPasskey(c.t.Context(), v, name, k.Make(bytesOf(c.t)(c.AskNew(c.t.Context(), v))), from(""))
	if err != nil {
		c.t.Fatal(err)
	}
	return k, e
}

// byKey signs in with a passkey alone.
func (c *coop) byKey(k *passkeytest.Key) (account.Opened, error) {
	c.t.Helper()
	return c.SignInPasskey(c.t.Context(), k.Sign(bytesOf(c.t)(c.AskSignIn(c.t.Context()))), from(""))
}

func TestPasskeys_LetInAloneAndAfterThePassword(t *testing.T) {
	eachCoop(t, func(t *testing.T, c *coop) {
		lan := c.person("lan", account.Admin)
		in := c.in("lan", password, "")
		k, e := c.key(c.visit(in.Token), "  Điện thoại\nLan ")
		if len(e.Recovery) != 10 || e.In != nil {
			t.Errorf("%d recovery codes with the first factor, %v", len(e.Recovery), e.In)
		}
		c.pass(time.Second)
		if _, again := c.key(c.visit(in.Token), "second"); len(again.Recovery) != 0 {
			t.Error("another key replaced the recovery codes")
		}
		c.pass(time.Hour)
		alone, err := c.byKey(k)
		if err != nil || alone.NeedsCode {
			t.Fatalf("alone: %+v, %v", alone, err)
		}
		v := c.visit(alone.Token)
		if v == nil || v.Account.ID != lan.ID || !c.Fresh(v) {
			t.Fatalf("%+v", v)
		}
		list, err := c.Passkeys.PasskeysOf(t.Context(), lan.ID)
		if err != nil || len(list) != 2 || list[0].Name != "Điện thoại Lan" || !list[0].Used.Equal(c.now()) || !list[1].Used.IsZero() {
			t.Errorf("%+v, %v", list, err)
		}
		half := c.in("lan", password, "")
		if !half.NeedsCode || c.visit(half.Token) != nil {
			t.Fatal("the password alone lets in")
		}
		k.Known = false // a security key without a PIN: with the password it is the second factor
		whole, err := c.CodePasskey(t.Context(), half.Token, k.Sign(bytesOf(t)(c.AskCode(t.Context(), half.Token))), from(""))
		if err != nil || c.visit(whole.Token) == nil {
			t.Fatalf("after the password: %v", err)
		}
		if _, err := c.byKey(k); !errors.Is(err, account.ErrPasskey) {
			t.Errorf("alone, and nobody verified: %v", err)
		}
		half = c.in("lan", password, "")
		if _, err := c.Code(t.Context(), half.Token, e.Recovery[2], from("")); err != nil {
			t.Errorf("a recovery code in place of the passkey: %v", err)
		}
		if _, err := c.Code(t.Context(), c.in("lan", password, "").Token, "123456", from("")); !errors.Is(err, account.ErrCode) {
			t.Errorf("a one-time code of nobody's: %v", err)
		}
	})
}

// TestPasskeys_Faults tries what a thief, a fake page or a broken device would send.
func TestPasskeys_Faults(t *testing.T) {
	eachCoop(t, func(t *testing.T, c *coop) {
		c.person("lan", account.Admin)
		c.person("minh", account.Technician)
		mine := c.visit(c.in("lan", password, "").Token)
		theirs := c.visit(c.in("minh", password, "").Token)
		for name, f := range map[string]struct {
			want error
			try  func(k *passkeytest.Key) error
		}{
			"wrong origin": {account.ErrPasskey, func(k *passkeytest.Key) error {
				k.Origin = "https://htx.example.evil"
				_, err := c.byKey(k)
				return err
			}},
			"plain origin": {account.ErrPasskey, func(k *passkeytest.Key) error {
				k.Origin = "http://htx.example"
				_, err := c.byKey(k)
				return err
			}},
			"another port": {account.ErrPasskey, func(k *passkeytest.Key) error {
				k.Origin = "https://htx.example:8443"
				_, err := c.byKey(k)
				return err
			}},
			"another host's key": {account.ErrPasskey, func(k *passkeytest.Key) error {
				k.Host = "evil.example"
				_, err := c.byKey(k)
				return err
			}},
			"what was signed is no sign-in": {account.ErrPasskey, func(k *passkeytest.Key) error {
				k.Type = "webauthn.create"
				_, err := c.byKey(k)
				return err
			}},
			"another private half": {account.ErrPasskey, func(k *passkeytest.Key) error {
				liar := passkeytest.New(t, origin, "htx.example")
				liar.ID, liar.Owner, liar.Counter = k.ID, k.Owner, 100
				_, err := c.byKey(liar)
				return err
			}},
			"in another's name": {account.ErrPasskey, func(k *passkeytest.Key) error {
				k.Owner = []byte(theirs.Account.ID)
				_, err := c.byKey(k)
				return err
			}},
			"in nobody's name": {account.ErrPasskey, func(k *passkeytest.Key) error {
				k.Owner = []byte("u-00000000")
				_, err := c.byKey(k)
				return err
			}},
			"without a name": {account.ErrPasskey, func(k *passkeytest.Key) error {
				k.Owner = nil
				_, err := c.byKey(k)
				return err
			}},
			"the same answer twice": {account.ErrLate, func(k *passkeytest.Key) error {
				answer := k.Sign(bytesOf(t)(c.AskSignIn(t.Context())))
				if _, err := c.SignInPasskey(t.Context(), answer, from("")); err != nil {
					return fmt.Errorf("the first time: %w", errors.Join(err))
				}
				_, err := c.SignInPasskey(t.Context(), answer, from(""))
				return err
			}},
			"too late": {account.ErrLate, func(k *passkeytest.Key) error {
				answer := k.Sign(bytesOf(t)(c.AskSignIn(t.Context())))
				c.pass(passkey.Limit + time.Second)
				_, err := c.SignInPasskey(t.Context(), answer, from(""))
				return err
			}},
			"a question of one's own": {account.ErrLate, func(k *passkeytest.Key) error {
				_, err := c.SignInPasskey(t.Context(), k.Sign([]byte(`{"challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`)), from(""))
				return err
			}},
			"a proof's answer to sign in": {account.ErrPasskey, func(k *passkeytest.Key) error {
				_, err := c.SignInPasskey(t.Context(), k.Sign(bytesOf(t)(c.AskProof(t.Context(), c.visit(mustIn(c))))), from(""))
				return err
			}},
			"a sign-in's answer as a proof": {account.ErrPasskey, func(k *passkeytest.Key) error {
				return c.Prove(t.Context(), c.visit(mustIn(c)), account.Proof{Passkey: k.Sign(bytesOf(t)(c.AskSignIn(t.Context())))}, from(""))
			}},
			"another's key after the password": {account.ErrPasskey, func(*passkeytest.Key) error {
				other, _ := c.key(c.visit(c.in("minh", password, "").Token), "")
				half := c.in("lan", password, "")
				_, err := c.CodePasskey(t.Context(), half.Token, other.Sign(bytesOf(t)(c.AskCode(t.Context(), half.Token))), from(""))
				forget(c, "minh")
				return err
			}},
			"an answer of another session": {account.ErrPasskey, func(k *passkeytest.Key) error {
				one, two := c.in("lan", password, ""), c.in("lan", password, "")
				_, err := c.CodePasskey(t.Context(), two.Token, k.Sign(bytesOf(t)(c.AskCode(t.Context(), one.Token))), from(""))
				return err
			}},
			"removed": {account.ErrPasskey, func(k *passkeytest.Key) error {
				answer := k.Sign(bytesOf(t)(c.AskSignIn(t.Context())))
				forget(c, "lan")
				_, err := c.SignInPasskey(t.Context(), answer, from(""))
				return err
			}},
			"the counter goes back": {account.ErrCloned, func(k *passkeytest.Key) error {
				if _, err := c.byKey(k); err != nil {
					return err
				}
				k.Counter -= 2
				_, err := c.byKey(k)
				return err
			}},
			"the counter stands": {account.ErrCloned, func(k *passkeytest.Key) error {
				k.Step = 0
				_, err := c.byKey(k)
				return err
			}},
			"the counter is gone": {account.ErrCloned, func(k *passkeytest.Key) error {
				k.Counter, k.Step = 0, 0
				_, err := c.byKey(k)
				return err
			}},
			"no answer": {account.ErrPasskey, func(*passkeytest.Key) error { _, err := c.SignInPasskey(t.Context(), nil, from("")); return err }},
			"too long": {account.ErrPasskey, func(*passkeytest.Key) error {
				_, err := c.SignInPasskey(t.Context(), make([]byte, 40_000), from(""))
				return err
			}},
			"not active": {account.ErrPasskey, func(k *passkeytest.Key) error {
				if _, err := c.Disable(t.Context(), mine.Account.ID, true, c.by()); err != nil {
					t.Fatal(err)
				}
				_, err := c.byKey(k)
				if _, again := c.Disable(t.Context(), mine.Account.ID, false, c.by()); again != nil {
					t.Fatal(again)
				}
				return err
			}},
		} {
			c.pass(account.ForgetFailures + time.Second)
			k, _ := c.key(c.visit(mustIn(c)), name)
			if err := f.try(k); !errors.Is(err, f.want) {
				t.Errorf("%s: %v, want %v", name, err, f.want)
			}
			forget(c, "lan")
		}
		if got := c.log.String(); strings.Contains(got, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") {
			t.Error("the log tells challenges")
		}
	})
}

// mustIn signs lan in, whatever factors there are, as after a reset at the shell.
func mustIn(c *coop) string {
	c.t.Helper()
	a, err := c.Find(c.t.Context(), "lan")
	if err != nil {
		c.t.Fatal(err)
	}
	if !a.Second() {
		return c.in("lan", password, "").Token
	}
	half := c.in("lan", password, "")
	codes, _, err := recoveryOf(c, a)
	if err != nil {
		c.t.Fatal(err)
	}
	o, err := c.Code(c.t.Context(), half.Token, codes, from(""))
	if err != nil {
		c.t.Fatal(err)
	}
	return o.Token
}

// recoveryOf gives an account one recovery code.
func recoveryOf(c *coop, a account.Account) (string, []byte, error) {
	code := "0123-4567-89AB-CDEF"
	hash := account.HashToken(strings.ReplaceAll(code, "-", ""))
	return code, hash, c.db.SaveRecovery(c.t.Context(), a.ID, [][]byte{hash}, c.by())
}

// forget removes an account's passkeys.
func forget(c *coop, login string) {
	c.t.Helper()
	a, err := c.Find(c.t.Context(), login)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.db.RemovePasskey(c.t.Context(), a.ID, "", c.by()); err != nil && !errors.Is(err, account.ErrNone) {
		c.t.Fatal(err)
	}
}

// A passkey whose counter went back is refused from then on, also where it goes on again, until its owner removes it.
func TestPasskeys_AClonedOneIsRefusedUntilRemoved(t *testing.T) {
	eachCoop(t, func(t *testing.T, c *coop) {
		lan := c.person("lan", account.Admin)
		k, e := c.key(c.visit(c.in("lan", password, "").Token), "")
		for range 3 {
			if _, err := c.byKey(k); err != nil {
				t.Fatal(err)
			}
		}
		twin := *k
		twin.Counter = 1
		if _, err := c.byKey(&twin); !errors.Is(err, account.ErrCloned) {
			t.Fatalf("%v", err)
		}
		if _, err := c.byKey(k); !errors.Is(err, account.ErrCloned) {
			t.Errorf("the other of the two: %v", err)
		}
		list, err := c.Passkeys.PasskeysOf(t.Context(), lan.ID)
		if err != nil || len(list) != 1 || !list[0].Cloned.Equal(c.now()) {
			t.Fatalf("%+v, %v", list, err)
		}
		half := c.in("lan", password, "")
		in, err := c.Code(t.Context(), half.Token, e.Recovery[0], from(""))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.RemovePasskey(t.Context(), c.visit(in.Token), list[0].ID); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Factors.RecoveryLeft(t.Context(), lan.ID); n != 0 || err != nil {
			t.Errorf("%d recovery codes stay behind the last factor, %v", n, err)
		}
		if o := c.in("lan", password, ""); o.NeedsCode {
			t.Error("a factor that is gone is asked for")
		}
	})
}

// One signature shown many times at once lets one in.
func TestPasskeys_OneAnswerLetsOneIn(t *testing.T) {
	eachCoop(t, func(t *testing.T, c *coop) {
		c.person("lan", account.Admin)
		k, _ := c.key(c.visit(c.in("lan", password, "").Token), "")
		answer := k.Sign(bytesOf(t)(c.AskSignIn(t.Context())))
		var wg sync.WaitGroup
		good := make(chan struct{}, 8)
		for i := range 8 {
			wg.Go(func() {
				at := account.From{Address: fmt.Sprint("198.51.100.", i)}
				if _, err := c.SignInPasskey(context.WithoutCancel(t.Context()), answer, at); err == nil {
					good <- struct{}{}
				}
			})
		}
		wg.Wait()
		if len(good) != 1 {
			t.Errorf("one answer let %d in", len(good))
		}
	})
}

// TestProof_GuardsWhatIsSignedInWith: nothing of it changes without a proof of the last minutes, and where there is a second factor the password alone is none.
func TestProof_GuardsWhatIsSignedInWith(t *testing.T) {
	eachCoop(t, func(t *testing.T, c *coop) {
		c.person("lan", account.Admin)
		in := c.in("lan", password, "")
		k, e := c.key(c.visit(in.Token), "")
		secret, err := account.NewSecret()
		if err != nil {
			t.Fatal(err)
		}
		c.pass(account.ProofLimit + time.Second)
		v := c.visit(in.Token)
		id := v.Account.Passkeys[0]
		for name, change := range map[string]func() error{
			"password": func() error { _, err := c.SetPassword(t.Context(), v, another, from("")); return err },
			"codes on": func() error {
				_, err := c.EnrolCodes(t.Context(), v, secret, account.CodeNow(secret, c.now()), from(""))
				return err
			},
			"codes off":      func() error { return c.DropCodes(t.Context(), v) },
			"recovery":       func() error { _, err := c.NewRecovery(t.Context(), v); return err },
			"a new passkey":  func() error { _, err := c.AskNew(t.Context(), v); return err },
			"a passkey more": func() error { _, err := c.AddPasskey(t.Context(), v, "", []byte(`{}`), from("")); return err },
			"a passkey less": func() error { return c.RemovePasskey(t.Context(), v, id) },
		} {
			if err := change(); !errors.Is(err, account.ErrProof) {
				t.Errorf("%s: %v", name, err)
			}
		}
		k.Known = false
		asked := func() []byte { return k.Sign(bytesOf(t)(c.AskProof(t.Context(), v))) }
		for name, p := range map[string]struct {
			proof func() account.Proof
			want  error
		}{
			"nothing":                            {func() account.Proof { return account.Proof{} }, account.ErrRefused},
			"the password alone":                 {func() account.Proof { return account.Proof{Password: password} }, account.ErrCode},
			"a code alone":                       {func() account.Proof { return account.Proof{Code: e.Recovery[0]} }, account.ErrRefused},
			"a key that verified nobody":         {func() account.Proof { return account.Proof{Passkey: asked()} }, account.ErrRefused},
			"the password and a wrong code":      {func() account.Proof { return account.Proof{Password: password, Code: "0000-0000-0000-0000"} }, account.ErrCode},
			"a wrong password and such a key":    {func() account.Proof { return account.Proof{Password: another, Passkey: asked()} }, account.ErrRefused},
			"password, and an answer of nothing": {func() account.Proof { return account.Proof{Password: password, Passkey: []byte(`{}`)} }, account.ErrPasskey},
		} {
			c.pass(account.ForgetFailures + time.Second)
			if err := c.Prove(t.Context(), v, p.proof(), from("")); !errors.Is(err, p.want) {
				t.Errorf("%s: %v, want %v", name, err, p.want)
			}
			if c.Fresh(c.visit(in.Token)) {
				t.Fatalf("%s was taken for a proof", name)
			}
		}
		c.pass(time.Hour)
		if err := c.Prove(t.Context(), v, account.Proof{Password: password, Passkey: k.Sign(bytesOf(t)(c.AskProof(t.Context(), v)))}, from("")); err != nil || !c.Fresh(c.visit(in.Token)) {
			t.Errorf("password and key: %v", err)
		}
		c.pass(account.ProofLimit + time.Second)
		k.Known = true
		if err := c.Prove(t.Context(), v, account.Proof{Passkey: k.Sign(bytesOf(t)(c.AskProof(t.Context(), v)))}, from("")); err != nil || !c.Fresh(c.visit(in.Token)) {
			t.Errorf("a key that verified its owner: %v", err)
		}
		if err := c.RemovePasskey(t.Context(), c.visit(in.Token), id); err != nil {
			t.Error(err)
		}
	})
}

// TestRequired_StaffGetNowhereWithoutASecondFactor: and with one they do; farmers have cards.
func TestRequired_StaffGetNowhereWithoutASecondFactor(t *testing.T) {
	eachCoop(t, func(t *testing.T, c *coop) {
		for _, role := range []account.Role{account.Admin, account.Technician, account.Inspector, account.Farmer} {
			c.person(string(role), role, "F7NE3CDQ7")
		}
		before := c.in("admin", password, "")
		c.start(true)
		if v := c.visit(before.Token); v == nil || v.Role() != account.Admin {
			t.Error("a session from before is ended")
		}
		for _, role := range []account.Role{account.Admin, account.Technician, account.Inspector} {
			o := c.in(string(role), password, "")
			v := c.visit(o.Token)
			if !o.NeedsEnrol || !v.Enrols() || v.Role() != account.Public {
				t.Fatalf("%s: %+v", role, v)
			}
			c.pass(20 * time.Minute) // installing an app takes its time
			_, e := c.key(v, "first")
			if len(e.Recovery) != 10 || e.In == nil || c.visit(o.Token) != nil {
				t.Fatalf("%s: %+v", role, e)
			}
			v = c.visit(e.In.Token)
			if v.Role() != role || v.Enrols() {
				t.Fatalf("%s: %+v", role, v)
			}
			if err := c.RemovePasskey(t.Context(), v, v.Account.Passkeys[0]); !errors.Is(err, account.ErrLast) {
				t.Errorf("%s: the last factor: %v", role, err)
			}
			secret, err := account.NewSecret()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.EnrolCodes(t.Context(), v, secret, account.CodeNow(secret, c.now()), from("")); err != nil {
				t.Fatal(err)
			}
			v = c.visit(e.In.Token)
			if err := c.RemovePasskey(t.Context(), v, v.Account.Passkeys[0]); err != nil {
				t.Errorf("%s: one of two: %v", role, err)
			}
			if err := c.DropCodes(t.Context(), c.visit(e.In.Token)); !errors.Is(err, account.ErrLast) {
				t.Errorf("%s: the last factor: %v", role, err)
			}
		}
		if o := c.in("farmer", password, ""); o.NeedsEnrol || c.visit(o.Token).Role() != account.Farmer {
			t.Error("a farmer is asked for a second factor")
		}
		late := c.person("late", account.Admin)
		o := c.in("late", password, "")
		c.pass(31 * time.Minute)
		if c.visit(o.Token) != nil {
			t.Error("half an hour to set a factor up, and no more")
		}
		// At the machine's shell everything is taken away, and the link lets in again, to set up anew.
		o = c.in("late", password, "")
		c.key(c.visit(o.Token), "")
		token, err := c.Reset(t.Context(), late.ID, c.by())
		if err != nil {
			t.Fatal(err)
		}
		o, err = c.Redeem(t.Context(), token, account.Person{}, another, from(""))
		if err != nil || !o.NeedsEnrol || o.NeedsCode {
			t.Errorf("after a reset: %+v, %v", o, err)
		}
	})
}

// TestFailures_SurviveARestartAndNameNobody: who is held back is held back by the next process, too, and the table tells neither logins nor addresses.
func TestFailures_SurviveARestartAndNameNobody(t *testing.T) {
	sqldbtest.EachConfig(t, func(t *testing.T, config sqldb.Config) {
		c := newCoop(t, sqldbtest.Open(t, config))
		c.person("lan", account.Admin)
		for range 9 {
			c.pass(16 * time.Second)
			if _, err := c.SignIn(t.Context(), "lan", "wrong wrong wrong", from("")); err == nil {
				t.Fatal("let in")
			}
		}
		c.start(false)
		if _, err := c.SignIn(t.Context(), "lan", password, from("")); !waits(err) {
			t.Errorf("after a restart: %v", err)
		}
		for _, row := range sqldbtest.Rows(t, config, "account_failure") {
			if strings.Contains(row, "lan") || strings.Contains(row, "203.0.113.7") {
				t.Errorf("the table tells who failed: %s", row)
			}
		}
		c.pass(16 * time.Second)
		c.in("lan", password, "")
		c.pass(2 * time.Hour)
		if _, err := c.SignIn(t.Context(), "nobody", "wrong wrong wrong", account.From{Address: "198.51.100.9"}); !errors.Is(err, account.ErrRefused) {
			t.Fatal(err)
		}
		if rows := sqldbtest.Rows(t, config, "account_failure"); len(rows) != 2 {
			t.Errorf("%d counts are kept, want those of the last hour: %q", len(rows), rows)
		}
	})
}

func waits(err error) bool { _, ok := errors.AsType[*account.WaitError](err); return ok }

// TestFailures_OfNeighboursHoldNoKnownBrowserBack: a browser that somebody signed in with before is counted by itself, for every account.
func TestFailures_OfNeighboursHoldNoKnownBrowserBack(t *testing.T) {
	eachCoop(t, func(t *testing.T, c *coop) {
		c.person("lan", account.Admin)
		c.person("minh", account.Technician)
		shared := c.in("lan", password, "").Device // the office computer
		for i := range 60 {
			if _, err := c.SignIn(t.Context(), fmt.Sprint("nobody", i), "wrong wrong wrong", from("")); err == nil {
				t.Fatal("let in")
			}
		}
		if _, err := c.SignIn(t.Context(), "minh", password, from("")); !waits(err) {
			t.Errorf("a strange browser behind that address: %v", err)
		}
		if _, err := c.SignIn(t.Context(), "minh", password, from("made-up-by-somebody-made-up-by-somebody-1234")); !waits(err) {
			t.Errorf("a secret that nobody gave: %v", err)
		}
		if _, err := c.SignIn(t.Context(), "minh", password, from(shared)); err != nil {
			t.Errorf("a colleague at the office computer: %v", err)
		}
		for i := range 60 {
			if _, err := c.SignIn(t.Context(), fmt.Sprint("nobody", i), "wrong wrong wrong", from(shared)); err == nil {
				t.Fatal("let in")
			}
		}
		if _, err := c.SignIn(t.Context(), "minh", password, from(shared)); !waits(err) {
			t.Errorf("a known browser fails without end: %v", err)
		}
	})
}

// TestSecrets_AreSealed: a program before the vault left them open; the first start after it seals them, and codes go on.
func TestSecrets_AreSealed(t *testing.T) {
	sqldbtest.EachConfig(t, func(t *testing.T, config sqldb.Config) {
		c := newCoop(t, sqldbtest.Open(t, config))
		c.person("lan", account.Admin)
		v := c.visit(c.in("lan", password, "").Token)
		secret := []byte("12345678901234567890")
		if _, err := c.EnrolCodes(t.Context(), v, secret, account.CodeNow(secret, c.now()), from("")); err != nil {
			t.Fatal(err)
		}
		stored := func() []byte {
			t.Helper()
			a, err := c.Find(t.Context(), "lan")
			if err != nil {
				t.Fatal(err)
			}
			return a.Secret
		}
		if bytes.Contains(stored(), secret) {
			t.Error("the secret is kept as it is")
		}
		sqldbtest.Tamper(t, config, fmt.Sprintf(`UPDATE account SET secret = %s WHERE login = 'lan'`,
			map[string]string{"sqlite": fmt.Sprintf("x'%x'", secret), "postgres": fmt.Sprintf(`'\x%x'`, secret)}[config.Driver]))
		if !bytes.Equal(stored(), secret) {
			t.Fatal("the test left no open secret")
		}
		if n, foreign, err := c.SealSecrets(t.Context(), c.db.SealSecret); n != 1 || foreign != 0 || err != nil {
			t.Errorf("%d sealed, %d foreign, %v", n, foreign, err)
		}
		if n, foreign, err := c.SealSecrets(t.Context(), c.db.SealSecret); n != 0 || foreign != 0 || err != nil || bytes.Contains(stored(), secret) {
			t.Errorf("again: %d sealed, %d foreign, %v", n, foreign, err)
		}
		c.pass(time.Minute)
		if _, err := c.Code(t.Context(), c.in("lan", password, "").Token, account.CodeNow(secret, c.now()), from("")); err != nil {
			t.Errorf("codes after it: %v", err)
		}
		other, err := account.NewVault(make([]byte, account.VaultKeyLen))
		if err != nil {
			t.Fatal(err)
		}
		c.Vault = other
		if _, foreign, err := c.SealSecrets(t.Context(), c.db.SealSecret); foreign != 1 || err != nil {
			t.Errorf("with another key %d foreign, %v", foreign, err)
		}
	})
}

// TestCards_APINIsChangedByWhoKnowsIt: not by whoever finds a phone that is signed in.
func TestCards_APINIsChangedByWhoKnowsIt(t *testing.T) {
	eachCoop(t, func(t *testing.T, c *coop) {
		c.person("admin", account.Admin)
		farmer := c.person("tam", account.Farmer)
		card, err := c.MakeCard(t.Context(), farmer.ID, c.by())
		if err != nil {
			t.Fatal(err)
		}
		o, err := c.UseCard(t.Context(), card.Code, "", from(""))
		if err != nil {
			t.Fatal(err)
		}
		v := c.visit(o.Token)
		if c.Fresh(v) {
			t.Error("a card is a proof of a password")
		}
		if has, err := c.HasPIN(t.Context(), v); has || err != nil {
			t.Errorf("%t, %v", has, err)
		}
		if err := c.SetPIN(t.Context(), v, "", "4821"); err != nil {
			t.Fatal(err)
		}
		for _, old := range []string{"", "1111"} {
			for _, pin := range []string{"", "9073"} {
				if err := c.SetPIN(t.Context(), v, old, pin); !errors.Is(err, account.ErrWrongPIN) {
					t.Errorf("%q for %q: %v", pin, old, err)
				}
			}
		}
		if err := c.SetPIN(t.Context(), v, "4821", "9073"); err != nil {
			t.Errorf("with the old one: %v", err)
		}
		if _, err := c.UseCard(t.Context(), "", "9073", from(o.Device)); err != nil {
			t.Errorf("the new one: %v", err)
		}
		for range 5 {
			if err := c.SetPIN(t.Context(), v, "0000", ""); !errors.Is(err, account.ErrWrongPIN) {
				t.Error(err)
			}
		}
		if err := c.SetPIN(t.Context(), v, "9073", ""); !errors.Is(err, account.ErrShut) {
			t.Errorf("after five wrong ones: %v", err)
		}
	})
}

package sqldb_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aovuon/server/account"
	"aovuon/server/ledger"
	"aovuon/server/passkey"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

// coop is a service on a database, with a clock of its own.
type coop struct {
	*account.Service
	t   *testing.T
	db  *sqldb.DB
	mu  sync.Mutex
	at  time.Time
	log bytes.Buffer
}

const (
	password = "bờ ruộng thuyền kèn"
	another  = "mưa ngâu ghềnh thác"
)

func newCoop(t *testing.T, db *sqldb.DB) *coop {
	c := &coop{t: t, db: db, at: time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)}
	c.start(false)
	return c
}

// start makes the service anew, as another process does; required: staff need a second factor.
func (c *coop) start(required bool) {
	c.t.Helper()
	vault, err := account.NewVault([]byte("a vault's key of thirty-two byte"))
	if err != nil {
		c.t.Fatal(err)
	}
	party, err := passkey.New(origin, "AoVườn")
	if err != nil {
		c.t.Fatal(err)
	}
	db := c.db
	c.Service = account.New(account.Options{
		People: db, Factors: db, Sessions: db, Devices: db, Links: db, Cards: db, PINs: db, Passkeys: db, Proofs: db, Tally: db, Hasher: account.NewHasher(), Coop: "htx-thu",
		Vault: vault, Party: party, Required: required, Now: c.now, Log: slog.New(slog.NewTextHandler(&c.log, nil)),
	})
}

// origin is what browsers call the server.
const origin = "https://htx.example"

func (c *coop) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *coop) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func (c *coop) by() ledger.By { return ledger.By{Actor: ledger.Operator, At: c.now()} }

func from(device string) account.From {
	return account.From{Address: "203.0.113.7", Device: device, Agent: "test"}
}

// person adds somebody who has a password.
func (c *coop) person(login string, role account.Role, places ...string) account.Account {
	c.t.Helper()
	a, err := c.Add(c.t.Context(), account.Person{Login: login, Name: "Người " + login, Role: role, Places: places}, c.by())
	if err != nil {
		c.t.Fatal(err)
	}
	token, err := c.NewLink(c.t.Context(), a.ID, c.by())
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.Redeem(c.t.Context(), token, account.Person{}, password, from("")); err != nil {
		c.t.Fatal(err)
	}
	return a
}

func (c *coop) in(login, password, device string) account.Opened {
	c.t.Helper()
	o, err := c.SignIn(c.t.Context(), login, password, from(device))
	if err != nil {
		c.t.Fatal(err)
	}
	return o
}

func (c *coop) visit(token string) *account.Visitor {
	c.t.Helper()
	v, err := c.Visit(c.t.Context(), token)
	if err != nil {
		c.t.Fatal(err)
	}
	return v
}

func eachCoop(t *testing.T, f func(t *testing.T, c *coop)) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) { f(t, newCoop(t, db)) })
}

func TestAccounts_SetupLinkWorksOnceAndNotForLong(t *testing.T) {
	eachCoop(t, func(t *testing.T, c *coop) {
		me := account.Person{Login: "lan", Name: "Lan", Role: account.Farmer}
		if needed, err := c.SetupNeeded(t.Context()); !needed || err != nil {
			t.Fatalf("%t, %v", needed, err)
		}
		old, err := c.SetupLink(t.Context(), c.by())
		if err != nil {
			t.Fatal(err)
		}
		c.pass(account.LinkLimit / 2)
		beside, err := c.SetupLink(t.Context(), c.by()) // as of a server that is started again
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range []string{old, beside} {
			if i, err := c.Peek(t.Context(), link); err != nil || !i.First {
				t.Errorf("two links: %+v, %v", i, err)
			}
		}
		c.pass(account.LinkLimit / 2)
		if _, err := c.Redeem(t.Context(), old, me, password, from("")); !errors.Is(err, account.ErrLink) {
			t.Errorf("an expired link: %v", err)
		}
		token, err := c.SetupLink(t.Context(), c.by())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Redeem(t.Context(), token, me, "matkhau123456", from("")); !errors.Is(err, account.ErrCommon) {
			t.Errorf("a common password: %v", err)
		}
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs { // eight at once: one admin
			wg.Go(func() {
				p := me
				p.Login = fmt.Sprint("lan", i)
				_, errs[i] = c.Redeem(t.Context(), []string{token, beside}[i%2], p, password, from(""))
			})
		}
		wg.Wait()
		good := 0
		for _, err := range errs {
			if err == nil {
				good++
			} else if !errors.Is(err, account.ErrLink) {
				t.Errorf("%v", err)
			}
		}
		all, err := c.People.Accounts(t.Context())
		if err != nil || good != 1 || len(all) != 1 || all[0].Role != account.Admin {
			t.Fatalf("%d got in; %+v, %v", good, all, err)
		}
		if needed, err := c.SetupNeeded(t.Context()); needed || err != nil {
			t.Errorf("%t, %v", needed, err)
		}
		for _, link := range []string{token, beside} { // also should there once be no admin
			if _, err := c.Links.LinkOf(t.Context(), account.HashToken(link), c.by().At); !errors.Is(err, account.ErrLink) {
				t.Errorf("a link that was used, or beside it: %v", err)
			}
		}
		if token, err = c.SetupLink(t.Context(), c.by()); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Redeem(t.Context(), token, me, password, from("")); !errors.Is(err, account.ErrLink) {
			t.Errorf("a setup link beside an admin: %v", err)
		}
	})
}

func TestAccounts_SessionsBeginAnewAndEnd(t *testing.T) {
	eachCoop(t, func(t *testing.T, c *coop) {
		a := c.person("lan", account.Admin)
		first, second := c.in("lan", password, ""), c.in("LAN ", password, "")
		if first.Token == second.Token || c.visit(first.Token) == nil || c.visit(second.Token) == nil {
			t.Fatal("two sign-ins are not two sessions")
		}
		c.pass(account.IdleLimit - time.Minute)
		if c.visit(second.Token) == nil {
			t.Error("over before its time")
		}
		c.pass(2 * time.Minute)
		if c.visit(first.Token) != nil || c.visit(second.Token) == nil {
			t.Error("the idle limit does not hold")
		}
		for range 14 {
			c.pass(account.IdleLimit - time.Minute)
			c.visit(second.Token)
		}
		if c.visit(second.Token) != nil {
			t.Error("the absolute limit does not hold")
		}
		one, two, three := c.in("lan", password, ""), c.in("lan", password, ""), c.in("lan", password, "")
		if err := c.SignOut(t.Context(), c.visit(one.Token)); err != nil || c.visit(one.Token) != nil || c.visit(two.Token) == nil {
			t.Errorf("sign-out: %v", err)
		}
		o, err := c.SetPassword(t.Context(), c.visit(two.Token), another, from(""))
		if err != nil || c.visit(two.Token) != nil || c.visit(three.Token) != nil || c.visit(o.Token) == nil {
			t.Errorf("a new password ends what was open: %v", err)
		}
		for range 25 {
			o = c.in("lan", another, "")
			c.pass(time.Second)
		}
		if list, err := c.Sessions.SessionsOf(t.Context(), a.ID); err != nil || len(list) != 20 {
			t.Errorf("%d sessions, %v", len(list), err)
		}
		c.person("minh", account.Admin)
		if _, err := c.Disable(t.Context(), a.ID, true, c.by()); err != nil || c.visit(o.Token) != nil {
			t.Errorf("a disabled account is still in: %v", err)
		}
		if _, err := c.SignIn(t.Context(), "lan", another, from("")); !errors.Is(err, account.ErrRefused) {
			t.Errorf("a disabled account signs in: %v", err)
		}
	})
}

func TestAccounts_CodesWorkOnce(t *testing.T) {
	eachCoop(t, func(t *testing.T, c *coop) {
		c.person("lan", account.Admin)
		v := c.visit(c.in("lan", password, "").Token)
		secret, err := account.NewSecret()
		if err != nil {
			t.Fatal(err)
		}
		c.pass(account.ProofLimit + time.Second)
		if _, err := c.EnrolCodes(t.Context(), v, secret, account.CodeNow(secret, c.now()), from("")); !errors.Is(err, account.ErrProof) {
			t.Errorf("without a proof: %v", err)
		}
		if err := c.Prove(t.Context(), v, account.Proof{Password: another}, from("")); !errors.Is(err, account.ErrRefused) || c.Fresh(v) {
			t.Errorf("with a wrong password: %v", err)
		}
		if err := c.Prove(t.Context(), v, account.Proof{Password: password}, from("")); err != nil || !c.Fresh(v) {
			t.Errorf("with the password: %v", err)
		}
		enrolled, err := c.EnrolCodes(t.Context(), v, secret, account.CodeNow(secret, c.now()), from(""))
		spare := enrolled.Recovery
		if err != nil || len(spare) != 10 {
			t.Fatalf("%d, %v", len(spare), err)
		}
		half := c.in("lan", password, "")
		if !half.NeedsCode || c.visit(half.Token) != nil {
			t.Fatal("let in without a code")
		}
		if _, err := c.Code(t.Context(), half.Token, account.CodeNow(secret, c.now()), from("")); !errors.Is(err, account.ErrCode) {
			t.Errorf("the code of the enrolment again: %v", err)
		}
		c.pass(time.Minute)
		code := account.CodeNow(secret, c.now())
		in, err := c.Code(t.Context(), half.Token, code, from(""))
		if err != nil || c.visit(in.Token) == nil || in.Token == half.Token {
			t.Fatalf("%v", err)
		}
		if _, err := c.Code(t.Context(), half.Token, code, from("")); !errors.Is(err, account.ErrRefused) {
			t.Errorf("the half session again: %v", err)
		}
		half = c.in("lan", password, "")
		if _, err := c.Code(t.Context(), half.Token, code, from("")); !errors.Is(err, account.ErrCode) {
			t.Errorf("replay: %v", err)
		}
		if _, err := c.Code(t.Context(), half.Token, strings.ToLower(spare[3]), from("")); err != nil {
			t.Errorf("recovery code: %v", err)
		}
		half = c.in("lan", password, "")
		if _, err := c.Code(t.Context(), half.Token, spare[3], from("")); !errors.Is(err, account.ErrCode) {
			t.Errorf("recovery code twice: %v", err)
		}
		if left, err := c.Factors.RecoveryLeft(t.Context(), v.Account.ID); left != 9 || err != nil {
			t.Errorf("%d left, %v", left, err)
		}
		c.pass(6 * time.Minute)
		if _, err := c.Code(t.Context(), half.Token, account.CodeNow(secret, c.now()), from("")); !errors.Is(err, account.ErrRefused) {
			t.Errorf("a half session of six minutes: %v", err)
		}
		half = c.in("lan", password, "")
		code = account.CodeNow(secret, c.now())
		var wg sync.WaitGroup
		good := make(chan struct{}, 8)
		for range 8 { // the same code eight times at once
			wg.Go(func() {
				if _, err := c.Code(context.WithoutCancel(t.Context()), half.Token, code, from("")); err == nil {
					good <- struct{}{}
				}
			})
		}
		wg.Wait()
		if len(good) != 1 {
			t.Errorf("one code let %d in", len(good))
		}
	})
}

func TestAccounts_LockOutStopsNobodyElse(t *testing.T) {
	eachCoop(t, func(t *testing.T, c *coop) {
		c.person("lan", account.Admin)
		c.person("minh", account.Technician)
		mine := c.in("lan", password, "")
		hostile := account.From{Address: "198.51.100.1"}
		waits := 0
		for i := range 200 { // from many addresses
			hostile.Address = fmt.Sprintf("198.51.100.%d", i%100)
			_, err := c.SignIn(t.Context(), "lan", "wrong wrong wrong", hostile)
			if _, ok := errors.AsType[*account.WaitError](err); ok {
				waits++
			} else if !errors.Is(err, account.ErrRefused) {
				t.Fatal(err)
			}
		}
		if waits != 194 {
			t.Errorf("%d of 200 had to wait", waits)
		}
		if _, err := c.SignIn(t.Context(), "lan", password, from("")); err == nil {
			t.Error("a strange device does not wait")
		}
		c.in("minh", password, "")
		c.in("lan", password, mine.Device) // the admin's own device
		if c.visit(mine.Token) == nil {
			t.Error("the open session was ended")
		}
		c.pass(15 * time.Minute)
		c.in("lan", password, "")
		// From one address, many logins: the address waits.
		waits = 0
		for i := range 40 {
			_, err := c.SignIn(t.Context(), fmt.Sprint("nobody", i), "wrong wrong wrong", account.From{Address: "198.51.100.200"})
			if _, ok := errors.AsType[*account.WaitError](err); ok {
				waits++
			}
		}
		if waits != 19 {
			t.Errorf("%d of 40 had to wait", waits)
		}
		if _, err := c.SignIn(t.Context(), "lan", password, account.From{Address: "198.51.100.200", Device: mine.Device}); err != nil {
			t.Errorf("a neighbour behind the same address keeps the admin's own device out: %v", err)
		}
		// At the machine's shell a link lets the admin in at any time.
		a, err := c.Find(t.Context(), "lan")
		if err != nil {
			t.Fatal(err)
		}
		token, err := c.NewLink(t.Context(), a.ID, c.by())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Redeem(t.Context(), token, account.Person{}, another, hostile); err != nil {
			t.Errorf("recovery at the shell: %v", err)
		}
	})
}

func TestAccounts_CardIsOnePhones(t *testing.T) {
	eachCoop(t, func(t *testing.T, c *coop) {
		c.person("admin", account.Admin)
		tech := c.person("minh", account.Technician)
		farmer := c.person("tam", account.Farmer, "F7NE3CDQ7")
		if _, err := c.MakeCard(t.Context(), tech.ID, c.by()); !errors.Is(err, account.ErrNotFarmer) {
			t.Errorf("a card for staff: %v", err)
		}
		card, err := c.MakeCard(t.Context(), farmer.ID, c.by())
		if err != nil {
			t.Fatal(err)
		}
		if seen, err := c.SeeCard(t.Context(), card.Code, from("")); err != nil || !seen.Fresh {
			t.Errorf("%+v, %v", seen, err)
		}
		if _, err := c.UseCard(t.Context(), card.Code, "1234", from("")); !errors.Is(err, account.ErrPIN) {
			t.Errorf("a PIN in a row: %v", err)
		}
		phone, err := c.UseCard(t.Context(), account.ShowCode(card.Code), "4821", from("planted"))
		if err != nil || phone.Device == "planted" {
			t.Fatalf("%v, device %q", err, phone.Device)
		}
		if v := c.visit(phone.Token); v.Account.Role != account.Farmer || !slices.Equal(v.Account.Places, []string{"F7NE3CDQ7"}) || v.Session.Card != card.ID {
			t.Errorf("%+v", v)
		}
		for _, other := range []string{"", "planted", "x"} {
			if _, err := c.UseCard(t.Context(), card.Code, "4821", from(other)); !errors.Is(err, account.ErrBound) {
				t.Errorf("a second phone: %v", err)
			}
		}
		if _, err := c.UseCard(t.Context(), "", "4821", from(phone.Device)); err != nil {
			t.Errorf("the phone without the card: %v", err)
		}
		var wg sync.WaitGroup
		for range 12 { // at once: five are judged
			wg.Go(func() {
				if _, err := c.UseCard(context.WithoutCancel(t.Context()), card.Code, "9999", from(phone.Device)); !errors.Is(err, account.ErrWrongPIN) && !errors.Is(err, account.ErrShut) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if _, err := c.UseCard(t.Context(), card.Code, "4821", from(phone.Device)); !errors.Is(err, account.ErrShut) {
			t.Errorf("after five wrong PINs: %v", err)
		}
		// A sheet on which one may have no card makes none: nobody would see the others, and theirs had ended.
		if _, err := c.MakeCards(t.Context(), []string{farmer.ID, tech.ID}, c.by()); !errors.Is(err, account.ErrNotFarmer) {
			t.Errorf("a sheet with a technician's card: %v", err)
		}
		if list, err := c.Cards.Cards(t.Context()); err != nil || len(list) != 1 || !list[0].Revoked.IsZero() {
			t.Errorf("after a sheet that was refused: %+v, %v", list, err)
		}
		again, err := c.MakeCard(t.Context(), farmer.ID, c.by())
		if err != nil || c.visit(phone.Token) != nil {
			t.Errorf("what was open with the old card still is: %v", err)
		}
		if _, err := c.UseCard(t.Context(), card.Code, "4821", from(phone.Device)); !errors.Is(err, account.ErrRefused) {
			t.Errorf("the old card: %v", err)
		}
		c.pass(time.Hour + time.Minute)
		if phone, err = c.UseCard(t.Context(), again.Code, "", from(phone.Device)); err != nil {
			t.Fatal(err)
		}
		if err := c.Cards.RevokeCard(t.Context(), again.ID, c.by()); err != nil || c.visit(phone.Token) != nil {
			t.Errorf("revoked, and still open: %v", err)
		}
		if _, err := c.UseCard(t.Context(), "", "", from(phone.Device)); !errors.Is(err, account.ErrRefused) {
			t.Errorf("a revoked card: %v", err)
		}
	})
}

func TestAccounts_LastAdminStaysAndTheLedgerKnowsNoNames(t *testing.T) {
	eachCoop(t, func(t *testing.T, c *coop) {
		a := c.person("lan", account.Admin)
		self := ledger.By{Actor: a.ID, At: c.now()}
		if _, err := c.Disable(t.Context(), a.ID, true, self); !errors.Is(err, account.ErrLastAdmin) {
			t.Errorf("disabled: %v", err)
		}
		if _, err := c.Edit(t.Context(), a.ID, account.Person{Name: "Lan", Role: account.Inspector}, self); !errors.Is(err, account.ErrLastAdmin) {
			t.Errorf("made an inspector: %v", err)
		}
		b := c.person("minh", account.Farmer, "F7NE3CDQ7")
		if _, err := c.Edit(t.Context(), b.ID, account.Person{Name: "Minh Mới", Role: account.Technician, Places: []string{"F7NE3CDQ7"}}, self); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Add(t.Context(), account.Person{Login: "minh", Name: "x", Role: account.Farmer}, self); !errors.Is(err, account.ErrTaken) {
			t.Errorf("a login twice: %v", err)
		}
		trail, err := c.db.Trail(t.Context(), 0, 3, "")
		if err != nil || len(trail) != 3 {
			t.Fatalf("%d, %v", len(trail), err)
		}
		newest := trail[0]
		for _, want := range []string{`"what":"person"`, `"before":{"login":"minh","name":"Người minh","role":"farmer","places":["F7NE3CDQ7"]}`, `"after":{"login":"minh","name":"Minh Mới","role":"technician"}`} {
			if !strings.Contains(string(newest.Body), want) {
				t.Errorf("%s does not say %s", newest.Body, want)
			}
		}
		older, err := c.db.Trail(t.Context(), trail[2].N, 100, "")
		if err != nil || len(older) == 0 || older[0].N >= trail[2].N {
			t.Errorf("%d older, %v", len(older), err)
		}
		mine, err := c.db.Trail(t.Context(), 0, 100, a.ID)
		if err != nil || slices.ContainsFunc(mine, func(e ledger.Said) bool { return e.Leaf.Actor != a.ID }) || len(mine) == 0 {
			t.Errorf("%d of one actor, %v", len(mine), err)
		}
		size, err := c.db.LedgerSize(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		leaves, err := c.db.LedgerLeaves(t.Context(), 0, size)
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range leaves {
			said := bytes.Join(bytes.Split(raw, []byte("\n"))[:5], []byte("\n")) // behind it are hashes, in which any three letters turn up
			for _, name := range []string{"lan", "minh", "Minh", "Người", "argon2"} {
				if bytes.Contains(said, []byte(name)) {
					t.Errorf("a leaf holds %q: %s", name, raw)
				}
			}
			leaf, err := ledger.ParseLeaf(raw)
			if err != nil || leaf.Kind.Public() {
				t.Errorf("%v, %s", err, leaf.Kind)
			}
		}
		for n := range size {
			_, body, err := c.db.LedgerBody(t.Context(), n)
			if err != nil || bytes.Contains(body, []byte("argon2")) {
				t.Errorf("body %d: %s, %v", n, body, err)
			}
		}
	})
}

// A farmer holds the card before the phone once, not every morning: entries must be sent when there is a signal, weeks later too.
func TestAccounts_WhatACardOpenedLastsASeason(t *testing.T) {
	eachCoop(t, func(t *testing.T, c *coop) {
		a := c.person("tam", account.Farmer)
		card, err := c.MakeCard(t.Context(), a.ID, c.by())
		if err != nil {
			t.Fatal(err)
		}
		phone, err := c.UseCard(t.Context(), card.Code, "", from("phone"))
		if err != nil {
			t.Fatal(err)
		}
		c.pass(account.CardIdle - time.Hour)
		c.person("lan", account.Admin)
		c.in("lan", password, "") // sweeps what is over
		if c.visit(phone.Token) == nil {
			t.Fatal("over before its time")
		}
		c.pass(account.CardIdle - time.Hour)
		if c.visit(phone.Token) == nil {
			t.Error("a visit does not make it last")
		}
		if _, err := c.MakeCard(t.Context(), a.ID, c.by()); err != nil || c.visit(phone.Token) != nil {
			t.Errorf("another card leaves the old one's sessions open: %v", err)
		}
	})
}

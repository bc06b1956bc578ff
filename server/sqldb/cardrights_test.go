package sqldb_test

import (
	"errors"
	"testing"

	"aovuon/server/account"
)

// What a card opened goes on for a season, but not for a day on rights that are gone: whatever is changed of the farmer ends it, and the phone
// comes in again, without the card, with what the farmer may now, or not at all.
func TestAccounts_WhatACardOpenedEndsWithTheRights(t *testing.T) {
	person := func(role account.Role, places ...string) account.Person {
		return account.Person{Name: "Người tam", Role: role, Places: places}
	}
	for name, x := range map[string]struct {
		change func(c *coop, a account.Account) error
		again  error // why the phone gets in no more; nil: it does
	}{
		"another place": {change: func(c *coop, a account.Account) error {
			_, err := c.Edit(c.t.Context(), a.ID, person(account.Farmer, "72DQY3KX0"), c.by())
			return err
		}},
		"another role": {again: account.ErrRefused, change: func(c *coop, a account.Account) error {
			_, err := c.Edit(c.t.Context(), a.ID, person(account.Technician), c.by())
			return err
		}},
		"kept out": {again: account.ErrRefused, change: func(c *coop, a account.Account) error {
			_, err := c.Disable(c.t.Context(), a.ID, true, c.by())
			return err
		}},
		"erased": {again: account.ErrRefused, change: func(c *coop, a account.Account) error {
			return c.db.EraseAccount(c.t.Context(), a.ID, c.by())
		}},
	} {
		t.Run(name, func(t *testing.T) {
			eachCoop(t, func(t *testing.T, c *coop) {
				c.person("lan", account.Admin)
				a := c.person("tam", account.Farmer, "F7NE3CDQ7")
				card, err := c.MakeCard(t.Context(), a.ID, c.by())
				if err != nil {
					t.Fatal(err)
				}
				phone, err := c.UseCard(t.Context(), card.Code, "", from(""))
				if err != nil {
					t.Fatal(err)
				}
				c.pass(account.CardIdle / 2)
				if v := c.visit(phone.Token); v == nil || v.Role() != account.Farmer {
					t.Fatalf("before: %+v", v)
				}
				if err := x.change(c, a); err != nil {
					t.Fatal(err)
				}
				if v := c.visit(phone.Token); v != nil {
					t.Errorf("still open: %+v", v)
				}
				o, err := c.UseCard(t.Context(), "", "", from(phone.Device))
				if !errors.Is(err, x.again) {
					t.Fatalf("the phone again: %v; want %v", err, x.again)
				}
				if err != nil {
					return
				}
				if v := c.visit(o.Token); v == nil || len(v.Account.Places) != 1 || v.Account.Places[0] != "72DQY3KX0" {
					t.Errorf("it may what it might before: %+v", v)
				}
			})
		})
	}
}

package account

import (
	"fmt"
	"slices"
	"strings"
)

// Role is what somebody is here.
type Role string

// The roles. Public is everybody who has not signed in.
const (
	Admin      Role = "admin"
	Technician Role = "technician"
	Farmer     Role = "farmer"    // sees own places
	Inspector  Role = "inspector" // reads all, changes nothing
	Public     Role = "public"
)

// Roles returns the roles an account may have.
func Roles() []Role { return []Role{Admin, Technician, Farmer, Inspector} }

// Action is something that somebody may be allowed to do.
type Action string

// The actions.
const (
	SeePlaces      Action = "see-places"      // those of one's own, or all
	SeeAllPlaces   Action = "see-all-places"  //
	SeeSystem      Action = "see-system"      // gateways, refusals
	SeeTrail       Action = "see-trail"       // who changed what, with before and after
	SeeBatches     Action = "see-batches"     // the gateways' batches, also where they are not open to everybody
	KeepDiary      Action = "keep-diary"      // write in the diary: of one's own places, or of all
	ReadBook       Action = "read-book"       // the diary and its books: of one's own places, or of all
	SeeRegister    Action = "see-register"    // the farm's register, with what strangers do not see of it
	EditFarm       Action = "edit-farm"       // the farm's register: households, seasons, inputs, certificates, buyers
	ReleaseLot     Action = "release-lot"     // let a held lot go that somebody else harvested
	OwnAccount     Action = "own-account"     // password, one-time codes, sessions of one's own
	ManageCards    Action = "manage-cards"    // make and revoke farmers' key cards
	ManageAccounts Action = "manage-accounts" // add, change, disable accounts
)

// Actions returns every action.
func Actions() []Action {
	return []Action{SeePlaces, SeeAllPlaces, SeeSystem, SeeTrail, SeeBatches, KeepDiary, ReadBook, SeeRegister, EditFarm, ReleaseLot, OwnAccount, ManageCards, ManageAccounts}
}

// may is the table of rights: what is not in it is not allowed.
func may(r Role) []Action {
	switch r {
	case Admin:
		return Actions()
	case Technician:
		return []Action{SeePlaces, SeeAllPlaces, SeeSystem, KeepDiary, ReadBook, SeeRegister, EditFarm, ReleaseLot, OwnAccount, ManageCards}
	case Farmer:
		return []Action{SeePlaces, KeepDiary, ReadBook, OwnAccount}
	case Inspector:
		return []Action{SeePlaces, SeeAllPlaces, SeeSystem, SeeTrail, SeeBatches, ReadBook, SeeRegister, OwnAccount}
	case Public:
		return nil
	}
	return nil
}

// May reports whether the role has the right to an action.
func (r Role) May(a Action) bool { return slices.Contains(may(r), a) }

// Staff reports whether the role is somebody who works for the co-op: with a password, never with a card alone.
func (r Role) Staff() bool { return r == Admin || r == Technician || r == Inspector }

// ParseRole reads the role of an account.
func ParseRole(s string) (Role, error) {
	if r := Role(s); slices.Contains(Roles(), r) {
		return r, nil
	}
	var names []string
	for _, r := range Roles() {
		names = append(names, string(r))
	}
	return "", fmt.Errorf("role %.40q: want one of %s", s, strings.Join(names, ", "))
}

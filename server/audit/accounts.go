package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"aovuon/server/ledger"
)

// insider is a source that shows who may do what, too: a database where it lies. Strangers are not shown that.
type insider interface {
	// Accounts returns what the tables say now of every account.
	Accounts(ctx context.Context) ([]ledger.Row, error)
	// LedgerSize returns how many leaves there are now, those that no head was signed for yet included.
	LedgerSize(ctx context.Context) (int64, error)
}

// standing is what is known of an account: who it is and what it may do, and the card that lets it in.
type standing struct {
	Shown json.RawMessage `json:"shown"`
	Card  string          `json:"card"`

	leaf int64 // the newest that changed one of them
	lost bool  // a body was erased, or is not what was recorded
}

// compareAccounts compares what the tables say of accounts with what the leaves about them come to: a role or a card that was given behind
// the ledger's back is found.
func (a *auditor) compareAccounts(ctx context.Context) error {
	src, ok := a.src.(insider)
	if !ok {
		return nil
	}
	said, err := a.readAccounts(ctx)
	if err != nil {
		return err
	}
	rows, err := src.Accounts(ctx)
	if err != nil {
		return fmt.Errorf("audit: accounts: %w", err)
	}
	// Asked last: if nothing was recorded until now, the rows are those of the head that is audited.
	size, err := src.LedgerSize(ctx)
	if err != nil {
		return fmt.Errorf("audit: accounts: %w", err)
	}
	if size != a.report.Head.Size {
		a.report.note("accounts: %d leaves are not of the signed head: audit again when they are signed", size-a.report.Head.Size)
		return nil
	}
	a.report.Accounts = len(rows)
	for _, r := range rows {
		a.compareAccount(r, said[r.Subject])
		delete(said, r.Subject)
	}
	for id, s := range said {
		a.report.find("account "+id, "is gone; leaf %d speaks of it", s.leaf)
	}
	return nil
}

func (a *auditor) compareAccount(r ledger.Row, s *standing) {
	where := "account " + r.Subject
	var now standing
	switch err := json.Unmarshal(r.Body, &now); {
	case err != nil:
		a.report.find(where, "%v", err)
	case s == nil:
		a.report.find(where, "the ledger does not speak of it")
	case s.lost:
		a.report.note("%s: a body about it was erased, or is not what was recorded", where)
	case !sameJSON(now.Shown, s.Shown):
		a.report.find(where, "who it is or what it may do is not what leaf %d and those before say", s.leaf)
	case now.Card != s.Card:
		a.report.find(where, "the card that lets it in is not what leaf %d and those before say", s.leaf)
	}
}

// readAccounts goes through the leaves about accounts.
func (a *auditor) readAccounts(ctx context.Context) (map[string]*standing, error) {
	said := map[string]*standing{}
	for n, l := range a.tree.leaves {
		if l.Kind != ledger.AccountChanged {
			continue
		}
		s := said[l.Subject]
		if s == nil {
			s = &standing{}
			said[l.Subject] = s
		}
		salt, body, err := a.src.Body(ctx, int64(n))
		switch {
		case errors.Is(err, ErrAbsent):
			s.lost = true
			continue
		case err != nil:
			return nil, fmt.Errorf("audit: body of leaf %d: %w", n, err)
		case ledger.ContentHash(salt, body) != l.Content:
			a.report.find(fmt.Sprintf("body of leaf %d (%s %s)", n, l.Kind, l.Subject), "is not what was recorded")
			s.lost = true
			continue
		}
		if err := s.apply(int64(n), body); err != nil {
			a.report.find(fmt.Sprintf("leaf %d", n), "%v", err)
		}
	}
	return said, nil
}

// apply takes one change in.
func (s *standing) apply(n int64, body []byte) error {
	var said struct {
		What  string          `json:"what"`
		Of    string          `json:"of"`
		After json.RawMessage `json:"after"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return fmt.Errorf("audit: what was said of an account: %w", err)
	}
	switch {
	case said.After != nil:
		s.Shown = said.After
	case said.What == "card-made": // the one there was before ends
		s.Card = said.Of
	case said.What == "card-revoked" && said.Of == s.Card:
		s.Card = ""
	default:
		return nil
	}
	s.leaf = n
	return nil
}

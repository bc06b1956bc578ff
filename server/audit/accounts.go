package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"aovuon/server/ledger"
)

// insider is a source that shows what strangers are not shown: who may do what, people, settings. A database where it lies.
type insider interface {
	// Accounts returns what the tables say now of every account.
	Accounts(ctx context.Context) ([]ledger.Row, error)
	// AccountMarks returns salted hashes of what lets somebody in as an account now.
	AccountMarks(ctx context.Context, id string, salt []byte) (map[string]string, error)
	// Changes returns what the tables say now of which leaves of the kinds `change`, `record` and `entry` speak, and the names of the tables
	// of changes and of the other kinds.
	Changes(ctx context.Context) (rows []ledger.Row, tables []string, err error)
	// LedgerSize returns how many leaves there are now, those that no head was signed for yet included.
	LedgerSize(ctx context.Context) (int64, error)
}

// standing is what is known of an account: who it is and what it may do, and the card that lets it in.
type standing struct {
	Shown json.RawMessage `json:"shown"`
	Card  string          `json:"card"`

	leaf  int64 // the newest that changed one of them
	marks accountMarks
	lost  []int64 // leaves whose body is gone, and no erasure after them
	wrong bool    // a body is not what was recorded, which is a finding already
}

// accountMarks are salted hashes of what lets somebody in, of the newest leaf that has some.
type accountMarks struct {
	Salt []byte
	Of   map[string]string
	leaf int64
}

// compareInside compares what strangers are not shown with what the leaves about it come to.
func (a *auditor) compareInside(ctx context.Context) error {
	src, ok := a.src.(insider)
	if !ok {
		return nil
	}
	people, err := a.readAccounts(ctx)
	if err != nil {
		return err
	}
	rows, err := a.readChanges(ctx)
	if err != nil {
		return err
	}
	accounts, errA := src.Accounts(ctx)
	now, tables, errC := src.Changes(ctx)
	var marks []map[string]string
	for _, r := range accounts {
		m := map[string]string{}
		if s := people[r.Subject]; s != nil && s.marks.Salt != nil {
			var err error
			if m, err = src.AccountMarks(ctx, r.Subject, s.marks.Salt); err != nil {
				return fmt.Errorf("audit: accounts: %w", err)
			}
		}
		marks = append(marks, m)
	}
	// Asked last: if nothing was recorded until now, the rows are those of the head that is audited.
	size, errS := src.LedgerSize(ctx)
	if err := errors.Join(errA, errC, errS); err != nil {
		return fmt.Errorf("audit: what strangers are not shown: %w", err)
	}
	if size != a.report.Head.Size {
		a.report.note("accounts, people and settings: %d leaves are not of the signed head: audit again when they are signed", size-a.report.Head.Size)
		return nil
	}
	a.compareAccounts(accounts, marks, people)
	a.compareChanges(now, tables, rows)
	return a.replayGoods(ctx)
}

// compareAccounts compares what the tables say of accounts with what the leaves about them come to: a role, a card, a password or a link
// that was given behind the ledger's back is found.
func (a *auditor) compareAccounts(rows []ledger.Row, marks []map[string]string, said map[string]*standing) {
	a.report.Accounts = len(rows)
	for i, r := range rows {
		a.compareAccount(r, marks[i], said[r.Subject])
		delete(said, r.Subject)
	}
	for id, s := range said {
		a.report.find("account "+id, "is gone; leaf %d speaks of it", s.leaf)
	}
}

func (a *auditor) compareAccount(r ledger.Row, marks map[string]string, s *standing) {
	where := "account " + r.Subject
	var now standing
	switch err := json.Unmarshal(r.Body, &now); {
	case err != nil:
		a.report.find(where, "%v", err)
	case s == nil:
		a.report.find(where, "the ledger does not speak of it")
	case len(s.lost) > 0:
		a.report.find(where, "the body of leaf %d was taken away, and no erasure is on record", s.lost[0])
	case s.wrong:
	case !sameJSON(now.Shown, s.Shown):
		a.report.find(where, "who it is or what it may do is not what leaf %d and those before say", s.leaf)
	case now.Card != s.Card:
		a.report.find(where, "the card that lets it in is not what leaf %d and those before say", s.leaf)
	case s.marks.Salt == nil:
		a.report.note("%s: its password and codes are not compared: its leaves are older than that", where)
	default:
		for _, what := range slices.Sorted(maps.Keys(s.marks.Of)) {
			if _, ok := marks[what]; !ok {
				a.report.find(where, "its %s is gone; leaf %d speaks of it", what, s.marks.leaf)
			}
		}
		for _, what := range slices.Sorted(maps.Keys(marks)) {
			if was, ok := s.marks.Of[what]; !ok || was != marks[what] {
				a.report.find(where, "its %s is not what it was at leaf %d", what, s.marks.leaf)
			}
		}
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
		body, there, err := a.inside(ctx, int64(n), l)
		if err != nil {
			return nil, err
		}
		switch {
		case there && body == nil:
			s.wrong = true
			continue
		case !there:
			s.leaf = int64(n)
			s.lost = append(s.lost, int64(n))
			continue
		}
		if err := s.apply(int64(n), body); err != nil {
			a.report.find(fmt.Sprintf("leaf %d", n), "%v", err)
		}
	}
	return said, nil
}

// inside reads the body of a leaf that is not public: nil where it is not what was recorded, which is a finding.
func (a *auditor) inside(ctx context.Context, n int64, l ledger.Leaf) (body []byte, there bool, err error) {
	salt, body, err := a.src.Body(ctx, n)
	switch {
	case errors.Is(err, ErrAbsent):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("audit: body of leaf %d: %w", n, err)
	case ledger.ContentHash(salt, body) != l.Content:
		a.report.find(fmt.Sprintf("body of leaf %d (%s %s)", n, l.Kind, l.Subject), "is not what was recorded")
		return nil, true, nil
	}
	return body, true, nil
}

// apply takes one change in.
func (s *standing) apply(n int64, body []byte) error {
	var said struct {
		What  string          `json:"what"`
		Of    string          `json:"of"`
		After json.RawMessage `json:"after"`
		Marks *struct {
			Salt []byte            `json:"salt"`
			Of   map[string]string `json:"of"`
		} `json:"marks"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return fmt.Errorf("audit: what was said of an account: %w", err)
	}
	if said.Marks != nil {
		s.marks = accountMarks{Salt: said.Marks.Salt, Of: said.Marks.Of, leaf: n}
	}
	switch {
	case said.What == "erased": // what was said before is gone with right
		s.Shown, s.Card, s.lost = said.After, "", nil
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

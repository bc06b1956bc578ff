package sqldb_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/server/account"
	"aovuon/server/ledger"
	"aovuon/server/privacy"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

func someContact() notify.Contact {
	return notify.Contact{
		ID: "01K0000000000000000000000A", Name: "Nguyễn Thị Thử", Lang: "vi", Level: rule.Warn, Agreed: noon,
		Addresses: []notify.Address{{Channel: "mail", To: "thu@example.vn"}, {Channel: "sms", To: "+84912345678"}},
	}
}

func someMessage(id string, at time.Time) notify.Message {
	return notify.Message{
		ID: id, Kind: notify.Opened, Alarm: "A1", Items: []notify.Item{{Alarm: "A1", Kind: notify.Opened}, {Alarm: "A2", Kind: notify.Raised, Step: 1}},
		Contact: "01K0000000000000000000000A", Channel: "mail", To: "thu@example.vn", Level: rule.Crit, Lang: "vi", Subject: "Ôxy", Text: "Ôxy thấp", Short: "Oxy thap", Link: "https://x/",
		Created: at, Expires: at.Add(time.Hour), State: notify.Waiting, Next: at,
	}
}

func TestNotify_APlanIsKeptWholeOrNotAtAll(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(db.SaveContact(ctx, someContact(), byAt(noon)))
		m := someMessage("M1", noon)
		r := notify.Rung{Alarm: "A1", Step: 0, Round: 1, Told: noon, Due: noon.Add(10 * time.Minute)}
		must(db.Commit(ctx, notify.Plan{At: noon, Cursor: notify.CursorLadder, From: 0, To: 7, Messages: []notify.Message{m}, Rungs: []notify.Rung{r}}))
		if err := db.Commit(ctx, notify.Plan{Cursor: notify.CursorLadder, From: 0, To: 9, Messages: []notify.Message{someMessage("M2", noon)}}); !errors.Is(err, notify.ErrMoved) {
			t.Fatalf("a plan from an old cursor: %v", err)
		}
		late := r
		late.Was = noon.Add(time.Hour)
		if err := db.Commit(ctx, notify.Plan{Cursor: notify.CursorLadder, From: 7, To: 7, Messages: []notify.Message{someMessage("M3", noon)}, Rungs: []notify.Rung{late}}); !errors.Is(err, notify.ErrMoved) {
			t.Fatalf("a plan from an old rung: %v", err)
		}
		st, err := db.Planned(ctx)
		must(err)
		if st.Cursor != 7 || len(st.Rungs) != 1 || st.Rungs[0] != r || st.Settings != notify.DefaultSettings() || len(st.Contacts) != 1 {
			t.Errorf("%+v", st)
		}
		list, err := db.MessagesOf(ctx, []string{"A2", "A1", "none"})
		must(err)
		if len(list) != 1 || !same(list[0], m) {
			t.Errorf("got %+v\nwant %+v", list, m)
		}
		must(db.Commit(ctx, notify.Plan{
			At: noon.Add(time.Minute), Cursor: notify.CursorLadder, From: 7, To: 8, Messages: []notify.Message{someMessage("M4", noon)},
			Merged: map[string]string{"M1": "M4"}, Off: []string{"A1"},
		}))
		must(db.Commit(ctx, notify.Plan{At: noon.Add(time.Minute), Cursor: notify.CursorLadder, From: 8, To: 8, Drop: []string{"M4"}}))
		all, err := db.Messages(ctx, notify.Filter{Alarm: "A1"})
		must(err)
		if len(all) != 2 || all[0].State != notify.Expired || all[0].Err != notify.Moot || all[1].State != notify.Merged || all[1].Ref != "M4" || !all[1].Done.Equal(noon.Add(time.Minute)) {
			t.Errorf("%+v", all)
		}
		if st, err := db.Planned(ctx); err != nil || len(st.Rungs) != 0 || st.Cursor != 8 {
			t.Errorf("%+v %v", st, err)
		}
	})
}

func same(a, b notify.Message) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

func TestNotify_TheOutboxSendsOneAfterTheOtherTheMostUrgentFirst(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		warn, crit, later, gone, digest := someMessage("M1", noon), someMessage("M2", noon), someMessage("M3", noon), someMessage("M4", noon), someMessage("M0", noon)
		warn.Level, later.Next, gone.Expires = rule.Warn, noon.Add(time.Minute), noon
		digest.Kind, digest.Level, digest.Alarm, digest.Items = notify.Digest, rule.Notice, "", nil
		if err := db.AddMessages(ctx, []notify.Message{warn, crit, later, gone, digest}); err != nil {
			t.Fatal(err)
		}
		take := func(at time.Time, want string) notify.Message {
			t.Helper()
			m, ok, err := db.Take(ctx, "mail", at)
			if err != nil || ok != (want != "") || m.ID != want {
				t.Fatalf("took %q %v %v, want %q", m.ID, ok, err, want)
			}
			return m
		}
		m := take(noon, "M2")
		if m.State != notify.Sending || m.Attempts != 1 || !m.Tried.Equal(noon) || len(m.Items) != 2 {
			t.Errorf("%+v", m)
		}
		m.State, m.Done, m.Ref = notify.Sent, noon.Add(time.Second), "ref-2"
		if err := db.Settle(ctx, m, nil); err != nil {
			t.Fatal(err)
		}
		w := take(noon, "M1")
		take(noon, "M0")
		take(noon, "") // M3 is not due, M4 too late
		// The one that was being sent is lost with the program; the one too late is given up.
		if expired, again, err := db.Sweep(ctx, noon, noon.Add(-time.Second)); err != nil || expired != 1 || again != 0 {
			t.Fatal(expired, again, err)
		}
		if expired, again, err := db.Sweep(ctx, noon.Add(time.Second), noon); err != nil || expired != 0 || again != 2 {
			t.Fatal(expired, again, err)
		}
		again := take(noon.Add(time.Second), "M1")
		// What comes of the attempt that was given up for lost says nothing any more.
		w.State, w.Done = notify.Failed, noon
		if err := db.Settle(ctx, w, nil); err != nil {
			t.Fatal(err)
		}
		again.State, again.Next, again.Err = notify.Failed, time.Time{}, "550 no such user"
		again.Done = noon.Add(2 * time.Second)
		next := someMessage("M5", noon.Add(2*time.Second))
		next.Channel, next.To, next.After = "sms", "+84912345678", "M1"
		if err := db.Settle(ctx, again, &next); err != nil {
			t.Fatal(err)
		}
		list, err := db.Messages(ctx, notify.Filter{ID: "M1"})
		if err != nil || len(list) != 1 || list[0].State != notify.Failed || len(list[0].Tries) != 2 || list[0].Tries[0].State != notify.Sending || !list[0].Tries[0].Ended.IsZero() ||
			list[0].Tries[1].Err != "550 no such user" || list[0].Tries[1].Ended.IsZero() {
			t.Errorf("%+v %v", list, err)
		}
		if m, ok, err := db.Take(ctx, "sms", noon.Add(2*time.Second)); err != nil || !ok || m.After != "M1" || len(m.Items) != 2 {
			t.Errorf("%+v %v %v", m, ok, err)
		}
		if m, ok, err := db.ByRef(ctx, "mail", "ref-2"); err != nil || !ok || m.ID != "M2" {
			t.Errorf("%+v %v %v", m, ok, err)
		}
		if _, ok, err := db.ByRef(ctx, "sms", "ref-2"); err != nil || ok {
			t.Errorf("a reference of another channel: %v %v", ok, err)
		}
		if err := db.Forget(ctx, noon.Add(3*time.Second)); err != nil {
			t.Fatal(err)
		}
		left, err := db.Messages(ctx, notify.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, m := range left {
			ids = append(ids, m.ID)
		}
		if !slices.Equal(ids, []string{"M5", "M3", "M0"}) { // those that are not done stay
			t.Errorf("%v", ids)
		}
	})
}

func TestNotify_FiltersAndPagesOfMessages(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		a, b, c := someMessage("M1", noon), someMessage("M2", noon), someMessage("M3", noon)
		b.Channel, b.State, b.Kind, c.Contact = "sms", notify.Failed, notify.Test, "other"
		if err := db.AddMessages(t.Context(), []notify.Message{a, b, c}); err != nil {
			t.Fatal(err)
		}
		for want, f := range map[string]notify.Filter{
			"M3 M2 M1": {}, "M2": {State: "failed"}, "M3 M1": {Channel: "mail"}, "M3": {Contact: "other"}, "M2 M1": {Before: "M3"}, "M3 M2": {Limit: 2}, "": {Kind: notify.Digest},
		} {
			list, err := db.Messages(t.Context(), f)
			var ids []string
			for _, m := range list {
				ids = append(ids, m.ID)
			}
			if err != nil || strings.Join(ids, " ") != want {
				t.Errorf("%+v: %v %v, want %s", f, ids, err, want)
			}
		}
	})
}

func TestNotify_ContactsAreCheckedKeptAndToldOfInTheLedger(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		c := someContact()
		if err := db.SaveContact(ctx, c, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		c.QuietFrom, c.QuietTo, c.Digest = 22*60, 5*60, true
		if err := db.SaveContact(ctx, c, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		list, err := db.Contacts(ctx)
		if err != nil || len(list) != 1 || list[0].QuietFrom != 22*60 || len(list[0].Addresses) != 2 || !list[0].Agreed.Equal(noon) {
			t.Fatalf("%+v %v", list, err)
		}
		if n, err := db.LedgerFind(ctx, "contact/"+c.ID, ledger.Changed); err != nil || len(n) != 2 {
			t.Errorf("leaves %v, %v", n, err)
		}
		for what, f := range map[string]func(*notify.Contact){
			"no name": func(c *notify.Contact) { c.Name = " " }, "level": func(c *notify.Contact) { c.Level = rule.Calm }, "language": func(c *notify.Contact) { c.Lang = "fr" },
			"step": func(c *notify.Contact) { c.Step = 10 }, "quiet": func(c *notify.Contact) { c.QuietTo = 1440 },
			"twice": func(c *notify.Contact) { c.Addresses = append(c.Addresses, c.Addresses[0]) }, "empty": func(c *notify.Contact) { c.Addresses = []notify.Address{{Channel: "sms"}} },
		} {
			bad := someContact()
			f(&bad)
			if err := db.SaveContact(ctx, bad, byAt(noon)); !errors.Is(err, notify.ErrContact) {
				t.Errorf("%s: %v", what, err)
			}
		}
		set := notify.DefaultSettings()
		set.Again = 5 * time.Minute
		if err := db.SaveSettings(ctx, set, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		if st, err := db.Planned(ctx); err != nil || st.Settings != set {
			t.Errorf("%+v %v", st.Settings, err)
		}
		set.Again = 0
		if err := db.SaveSettings(ctx, set, byAt(noon)); !errors.Is(err, notify.ErrContact) {
			t.Errorf("no pause: %v", err)
		}
		rows, err := db.ChangeRows(ctx)
		if err != nil || len(rows) != 2 {
			t.Errorf("%+v %v", rows, err)
		}
	})
}

// Who may not see a place any more is not told of it, and who may not sign in is told nothing.
func TestNotify_ContactsOfAccountsSeeWhatTheAccountsDo(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		f, _ := demoFarm(t)
		if err := db.SaveFarm(ctx, f, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		one, two := f.Places[0].Code, f.Places[1].Code
		a := account.Account{ID: "u-AAAAAAAA", Login: "tam", Name: "Tám", Role: account.Farmer, Places: []string{one}, Made: noon}
		if err := db.AddAccount(ctx, a, nil, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		c := someContact()
		c.Account, c.Places = a.ID, []string{one, two}
		if err := db.SaveContact(ctx, c, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		other := someContact()
		other.ID, other.Account = "01K0000000000000000000000B", a.ID
		if err := db.SaveContact(ctx, other, byAt(noon)); !errors.Is(err, notify.ErrContact) {
			t.Errorf("a second contact of an account: %v", err)
		}
		told := func() notify.Contact {
			t.Helper()
			st, err := db.Planned(ctx)
			if err != nil || len(st.Contacts) != 1 {
				t.Fatal(st, err)
			}
			return st.Contacts[0]
		}
		if got := told(); !slices.Equal(got.Places, []string{one}) || got.Disabled {
			t.Errorf("%+v", got)
		}
		change := func(f func(*account.Account) error) {
			t.Helper()
			if _, err := db.ChangeAccount(ctx, account.Change{ID: a.ID, What: "person", By: byAt(noon), Apply: f}); err != nil {
				t.Fatal(err)
			}
		}
		change(func(a *account.Account) error { a.Places = nil; return nil })
		if got := told(); !got.Disabled { // no places is none, not all
			t.Errorf("%+v", got)
		}
		change(func(a *account.Account) error { a.Places, a.Disabled = []string{two}, noon; return nil })
		if got := told(); !got.Disabled {
			t.Errorf("%+v", got)
		}
		if err := db.EraseAccount(ctx, a.ID, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		if list, err := db.Contacts(ctx); err != nil || len(list) != 0 {
			t.Errorf("after the account was erased: %+v %v", list, err)
		}
	})
}

func TestNotify_WhoIsErasedIsNotFoundInContactsAndMessages(t *testing.T) {
	sqldbtest.EachConfig(t, func(t *testing.T, conf sqldb.Config) {
		db := sqldbtest.Open(t, conf)
		ctx := t.Context()
		p := privacy.Person{ID: "p-0000000001", Name: "Nguyễn Thị Thử", Phone: "0912 345 678"}
		c, m := someContact(), someMessage("M1", noon)
		c.Name = "Chị Thử" // found by the number
		sent := someMessage("M2", noon)
		sent.State, sent.Done, sent.Err = notify.Sent, noon, "thu@example.vn said no"
		for _, err := range []error{db.AddPerson(ctx, p, byAt(noon)), db.SaveContact(ctx, c, byAt(noon)), db.AddMessages(ctx, []notify.Message{m, sent})} {
			if err != nil {
				t.Fatal(err)
			}
		}
		all, err := db.EverythingOf(ctx, p.ID)
		if err != nil || len(all.Contacts) != 1 || len(all.Messages) != 2 || all.Messages[0].Text != "Ôxy thấp" || !slices.ContainsFunc(all.Ledger, func(e privacy.Entry) bool { return e.Subject == "contact/"+c.ID }) {
			t.Errorf("export: %+v %v", all, err)
		}
		if err := db.ErasePerson(ctx, p.ID, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"contact", "notify_message", "notify_attempt", "ledger_body"} {
			for _, row := range sqldbtest.Rows(t, conf, table) {
				for _, secret := range []string{"912345678", "Thử", "example.vn", "Ôxy"} {
					if strings.Contains(row, secret) {
						t.Errorf("%s holds %q: %s", table, secret, row)
					}
				}
			}
		}
		list, err := db.Messages(ctx, notify.Filter{})
		if err != nil || len(list) != 2 || list[0].State != notify.Sent || list[1].State != notify.Expired {
			t.Errorf("%+v %v", list, err)
		}
		if err := db.RemoveContact(ctx, c.ID, byAt(noon)); !errors.Is(err, notify.ErrNoContact) {
			t.Errorf("again: %v", err)
		}
		if err := db.SaveContact(ctx, c, byAt(noon)); !errors.Is(err, notify.ErrNoContact) {
			t.Errorf("brought back: %v", err)
		}
	})
}

// Who takes back that they may be told is told nothing more, and only that contact; it is on record as any change of one, and once.
func TestNotify_AlarmsAreWithdrawn(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		p := privacy.Person{ID: "p-0000000001", Name: "Nguyễn Thị Thử", Phone: "0900 000 000"}
		must(db.AddPerson(ctx, p, byAt(noon)))
		other := someContact()
		other.ID, other.Name, other.Addresses = "01K0000000000000000000000B", "Trần Văn Khác", []notify.Address{{Channel: "mail", To: "khac@example.vn"}}
		must(db.SaveContact(ctx, someContact(), byAt(noon)))
		must(db.SaveContact(ctx, other, byAt(noon)))
		before, _ := head(t, db)
		for _, want := range []int{1, 0} {
			if n, err := db.WithdrawAlarms(ctx, p.ID, byAt(noon)); err != nil || n != want {
				t.Fatalf("%d withdrawn, %v; want %d", n, err, want)
			}
		}
		if after, _ := head(t, db); after != before+1 {
			t.Errorf("%d leaves more, want 1", after-before)
		}
		list, err := db.Contacts(ctx)
		must(err)
		for _, c := range list {
			if c.Reached() != (c.ID == other.ID) || c.ID == other.ID && c.Agreed.IsZero() {
				t.Errorf("%s: reached %v, agreed %s", c.Name, c.Reached(), c.Agreed)
			}
		}
		if _, err := db.WithdrawAlarms(ctx, "p-nobody0000", byAt(noon)); !errors.Is(err, privacy.ErrNoPerson) {
			t.Errorf("of nobody: %v", err)
		}
	})
}

package desk_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/diary/desk"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
)

// morning is 07:00 in Viet Nam.
var morning = time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)

// rig is a desk on a real database, with the demo's farm and a season of its first pond.
type rig struct {
	*testing.T
	db   *sqldb.DB
	desk *desk.Desk
	now  time.Time
	n    int
	pond string // code
}

var (
	tam  = desk.Who{Actor: "u-tam", Device: "d-tam", Role: account.Farmer, Own: func(p string) bool { return p != "" }}
	lan  = desk.Who{Actor: "u-lan", Role: account.Technician, Own: func(string) bool { return true }}
	minh = desk.Who{Actor: "u-minh", Role: account.Admin, Own: func(string) bool { return true }}
)

func newRig(t *testing.T, db *sqldb.DB) *rig {
	t.Helper()
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{T: t, db: db, now: morning}
	for _, p := range f.Places {
		if p.Name == "ao1" {
			r.pond = p.Code
		}
	}
	by := ledger.By{Actor: ledger.Operator, At: morning}
	if err := db.SaveFarm(t.Context(), f, by); err != nil {
		t.Fatal(err)
	}
	_, err = db.SaveRecords(t.Context(), []farm.Record{
		{Kind: farm.Product, ID: "rophi", Values: form.Values{"name": "Cá rô phi", "branch": "fish", "scientific": "Oreochromis niloticus"}},
		{Kind: farm.Product, ID: "chep", Values: form.Values{"name": "Cá chép", "name_en": "Carp", "branch": "fish", "gtin": "09521234010036"}},
		{Kind: farm.Cycle, ID: "vu-thu", Values: form.Values{"name": "Rô phi vụ thu", "place": r.pond, "branch": "fish", "product": "rophi", "species": "cá rô phi", "season": "2026", "begin": "2026-07-01"}},
		{Kind: farm.Input, ID: "oxytet", Values: form.Values{"name": "Oxytetracycline", "type": "drug", "unit": "kg", "withdrawal_days": 28.0}},
	}, by)
	if err != nil {
		t.Fatal(err)
	}
	r.desk = desk.New(db, db, desk.Rules(judge), func() time.Time { return r.now }, slog.New(slog.DiscardHandler))
	return r
}

// judge is the gates without temperatures.
func judge(_ context.Context, c gate.Case) (gate.Verdict, error) {
	c.Settings = gate.Defaults()
	return gate.Judge(c), nil
}

// sent makes an entry of the pond, done a number of days from morning.
func (r *rig) sent(kind string, day int, v form.Values) diary.Sent {
	r.n++
	var id ulid.ULID
	if err := errors.Join(id.SetTime(uint64(morning.UnixMilli())), id.SetEntropy(fmt.Appendf(nil, "%010d", r.n))); err != nil {
		r.Fatal(err)
	}
	at := morning.AddDate(0, 0, day)
	return diary.Sent{SentAt: r.now, Event: diary.Event{ID: id.String(), Kind: kind, Place: r.pond, Values: v, Occurred: at, Recorded: at}}
}

func (r *rig) take(who desk.Who, sent ...diary.Sent) []diary.Outcome {
	r.Helper()
	r.now = r.now.Add(time.Minute)
	for i := range sent {
		sent[i].SentAt = r.now
	}
	out, err := r.desk.Take(r.Context(), who, sent)
	if err != nil {
		r.Fatal(err)
	}
	return out
}

// kept takes one entry that must be taken.
func (r *rig) kept(who desk.Who, s diary.Sent) diary.Outcome {
	r.Helper()
	o := r.take(who, s)[0]
	if o.State != diary.Kept {
		r.Fatalf("%s: %+v", s.Kind, o)
	}
	return o
}

func (r *rig) refused(who desk.Who, s diary.Sent, code string) {
	r.Helper()
	if o := r.take(who, s)[0]; o.State != diary.Refused || o.Code != code {
		r.Errorf("%s: %+v, want it refused: %s", s.Kind, o, code)
	}
}

func (r *rig) lot(code string) desk.Standing {
	r.Helper()
	all, err := r.db.DiaryLots(r.Context(), "", time.Time{})
	if err != nil {
		r.Fatal(err)
	}
	for _, s := range all {
		if s.Lot.Code == code {
			return s
		}
	}
	r.Fatalf("no lot %s", code)
	return desk.Standing{}
}

func (r *rig) treatment(day int) diary.Sent {
	return r.sent(diary.Treatment, day, form.Values{"input": "oxytet", "amount": 2.0, "reason": "đốm đỏ"})
}

func (r *rig) harvest(day int, kg float64) diary.Sent {
	return r.sent(diary.Harvest, day, form.Values{"kg": kg})
}

func (r *rig) correct(old diary.Sent, change func(*diary.Event)) diary.Sent {
	s := r.sent(old.Kind, 0, nil)
	s.Occurred, s.Recorded, s.Values, s.Corrects = old.Occurred, old.Recorded, old.Values, old.ID
	change(&s.Event)
	return s
}

func (r *rig) void(old diary.Sent) diary.Sent {
	s := r.correct(old, func(e *diary.Event) { e.Kind, e.Values = diary.Void, form.Values{"reason": "ghi nhầm"} })
	return s
}

func each(t *testing.T, f func(r *rig)) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) { f(newRig(t, db)) })
}

func TestHarvest_OpensALot(t *testing.T) {
	each(t, func(r *rig) {
		stocking := r.sent(diary.Stocking, -100, form.Values{"species": "rô phi", "hatchery": "Trại A", "seed_lot": "L1", "count": 5000.0})
		r.kept(tam, stocking)
		o := r.kept(tam, r.harvest(0, 500))
		if o.Lot != "AO1-261125" || o.Held {
			t.Errorf("%+v", o)
		}
		second := r.kept(tam, r.harvest(0, 300))
		if second.Lot != "AO1-261125-B" {
			t.Errorf("the second of the day: %+v", second)
		}
		s := r.lot("AO1-261125")
		l := s.Lot
		if !farm.ValidGTIN(l.GTIN) || !farm.Internal(l.GTIN) || l.KG != 500 || l.State != trace.Harvested || l.Cycle != "vu-thu" || !l.Demo || s.Hold != nil ||
			!slices.Equal(l.Places, []string{r.pond}) || !l.Harvested.Equal(morning) || !l.Stocked.Equal(morning.AddDate(0, 0, -100)) || l.Scientific != "Oreochromis niloticus" {
			t.Errorf("%+v", s)
		}
	})
}

func TestHarvest_JoinsTheLotItNames(t *testing.T) {
	each(t, func(r *rig) {
		first := r.harvest(0, 500)
		r.kept(tam, first)
		more := r.harvest(1, 250)
		more.Values["lot_code"] = "AO1-261125"
		more.Occurred = morning.Add(time.Minute)
		r.kept(tam, more)
		if l := r.lot("AO1-261125").Lot; l.KG != 750 || len(l.Harvests) != 2 || !l.Harvested.Equal(morning.Add(time.Minute)) {
			t.Errorf("%+v", l)
		}
		r.kept(tam, r.correct(first, func(e *diary.Event) { e.Values = form.Values{"kg": 400.0} }))
		if l := r.lot("AO1-261125").Lot; l.KG != 650 {
			t.Errorf("after a correction: %+v", l)
		}
		r.kept(tam, r.void(more))
		if l := r.lot("AO1-261125").Lot; l.KG != 400 || len(l.Harvests) != 1 {
			t.Errorf("after one was taken back: %+v", l)
		}
		other := r.harvest(0, 100)
		other.Values["product"], other.Values["lot_code"] = "chep", "AO1-261125"
		r.refused(tam, other, "fields")
		bad := r.harvest(0, 100)
		bad.Values["lot_code"] = "lô số 1"
		r.refused(tam, bad, "fields")
	})
}

func TestHarvest_OfAnotherProductMovesToAnotherLot(t *testing.T) {
	each(t, func(r *rig) {
		h := r.harvest(0, 500)
		r.kept(tam, h)
		o := r.kept(tam, r.correct(h, func(e *diary.Event) { e.Values = form.Values{"kg": 500.0, "product": "chep"} }))
		if o.Lot != "AO1-261125-B" {
			t.Errorf("%+v", o)
		}
		if l := r.lot(o.Lot).Lot; l.GTIN != "09521234010036" || l.KG != 500 {
			t.Errorf("%+v", l)
		}
		old := r.lot("AO1-261125").Lot
		if old.State != trace.Void || old.KG != 0 {
			t.Errorf("%+v", old)
		}
		d, err := r.db.Dossier(t.Context(), old.Link())
		if err != nil || d.Lot.Sellable() || d.Seal != nil || len(d.Evidence)+len(d.Certificates) != 0 {
			t.Errorf("%+v, %v", d, err)
		}
	})
}

func TestHarvest_InsideAWindowIsKeptAndHeld(t *testing.T) {
	each(t, func(r *rig) {
		cure := r.treatment(-10)
		r.kept(tam, cure)
		o := r.kept(tam, r.harvest(0, 500))
		if o.Lot == "" || !o.Held {
			t.Fatalf("%+v", o)
		}
		s := r.lot(o.Lot)
		want := desk.Cause{Rule: "withdrawal", Event: cure.ID, Clears: morning.AddDate(0, 0, 19).Add(-7 * time.Hour)}
		if s.Lot.State != trace.Held || s.Hold.By != "u-tam" || !slices.Equal(s.Hold.Causes, []desk.Cause{want}) {
			t.Errorf("%+v %+v", s, s.Hold)
		}
		r.kept(tam, r.void(cure)) // what holds no more does not let go
		if s := r.lot(o.Lot); s.Lot.State != trace.Held || !s.Hold.Open() {
			t.Errorf("%+v", s)
		}
	})
}

func TestTreatment_ThatComesLaterHoldsTheLot(t *testing.T) {
	each(t, func(r *rig) {
		o := r.kept(tam, r.harvest(0, 500))
		late := r.treatment(-5)
		r.kept(lan, late)
		s := r.lot(o.Lot)
		if s.Lot.State != trace.Held || s.Hold.By != "u-lan" {
			t.Errorf("%+v %+v", s, s.Hold)
		}
		again := r.take(tam, r.harvest(0, 1))
		if !again[0].Held {
			t.Errorf("another harvest of that day: %+v", again)
		}
		// A correction of the treatment's date holds, too.
		free := r.kept(tam, r.harvest(-40, 9))
		r.kept(tam, r.correct(late, func(e *diary.Event) { e.Occurred = morning.AddDate(0, 0, -45) }))
		if s := r.lot(free.Lot); s.Lot.State != trace.Held || s.Hold.By != "u-tam" {
			t.Errorf("%+v %+v", s, s.Hold)
		}
	})
}

func TestRelease_TakesASecondPerson(t *testing.T) {
	each(t, func(r *rig) {
		r.kept(lan, r.treatment(-10))
		h := r.harvest(0, 500)
		o := r.kept(lan, h)
		release := func() diary.Sent {
			s := r.sent(diary.Release, 0, form.Values{"lot_code": o.Lot, "reason": "Mẫu cá không còn dư lượng, phiếu 12"})
			s.Occurred = r.now
			return s
		}
		r.refused(tam, release(), "right")
		r.refused(lan, release(), "second")
		r.kept(minh, r.correct(h, func(e *diary.Event) { e.Values = form.Values{"kg": 510.0} }))
		r.refused(minh, release(), "second") // who corrected the harvest wrote it, too
		hoa := minh
		hoa.Actor = "u-hoa"
		wrong := release()
		wrong.Values["lot_code"] = "AO9-1"
		r.refused(hoa, wrong, "notheld")
		done := release()
		r.kept(hoa, done)
		s := r.lot(o.Lot)
		if s.Lot.State != trace.Harvested || s.Hold.Open() || s.Hold.ReleasedBy != "u-hoa" || s.Hold.Release != done.ID {
			t.Errorf("%+v %+v", s, s.Hold)
		}
		if err := r.desk.Review(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := r.lot(o.Lot); s.Hold.Open() {
			t.Error("what was known at the release holds again")
		}
		r.refused(hoa, release(), "notheld")
		r.kept(tam, r.treatment(-3)) // nobody knew of this one
		if s := r.lot(o.Lot); s.Lot.State != trace.Held || s.Hold.By != "u-tam" || len(s.Hold.Causes) != 2 {
			t.Errorf("%+v %+v", s, s.Hold)
		}
		again := release()
		r.kept(hoa, again)
		r.kept(minh, r.void(again))
		if s := r.lot(o.Lot); s.Lot.State != trace.Held || s.Hold.By != "u-minh" {
			t.Errorf("a release that was taken back: %+v %+v", s, s.Hold)
		}
	})
}

// What is made of a lot that is held is held; what is made of bought rice is not.
func TestBatch_IsHeldWithWhatItIsMadeOf(t *testing.T) {
	each(t, func(r *rig) {
		f, err := r.db.Farm(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		const shed = "7K3PNX9DX"
		f.Places = append(f.Places, farm.Place{
			Code: shed, Name: "lo-say", Kind: farm.Shed, Title: farm.Text{VI: "Lò sấy", EN: "Kiln"}, Zone: f.Zones[0].ID, Holds: farm.Text{VI: "cá khô", EN: "dried fish"},
		})
		if err := r.db.SaveFarm(t.Context(), f, ledger.By{Actor: ledger.Operator, At: r.now}); err != nil {
			t.Fatal(err)
		}
		_, err = r.db.SaveRecords(t.Context(), []farm.Record{
			{Kind: farm.Product, ID: "kho", Values: form.Values{"name": "Cá khô", "branch": "process"}},
			{Kind: farm.Cycle, ID: "say", Values: form.Values{"name": "Sấy", "place": shed, "branch": "process", "product": "kho", "species": "cá khô", "season": "2026", "begin": "2026-07-01"}},
		}, ledger.By{Actor: ledger.Operator, At: r.now})
		if err != nil {
			t.Fatal(err)
		}
		raw := r.kept(tam, r.harvest(-1, 100))
		batch := func(code, of string) diary.Outcome {
			s := r.sent(diary.Batch, 0, form.Values{"inputs": []string{of}, "in_kg": 100.0, "lot_code": code, "out_kg": 30.0})
			s.Place = shed
			return r.kept(tam, s)
		}
		dried, bought := batch("KHO-1", raw.Lot), batch("KHO-2", "GAO-MUA")
		if dried.Lot != "KHO-1" || dried.Held || bought.Held || r.lot("KHO-1").Lot.KG != 30 {
			t.Errorf("%+v %+v", dried, bought)
		}
		r.kept(tam, r.treatment(-5)) // holds the fish, and what was dried of it
		for code, want := range map[string]trace.State{raw.Lot: trace.Held, "KHO-1": trace.Held, "KHO-2": trace.Harvested} {
			if s := r.lot(code); s.Lot.State != want {
				t.Errorf("%s is %s, want %s", code, s.Lot.State, want)
			}
		}
		if o := batch("KHO-3", raw.Lot); !o.Held {
			t.Errorf("made of a held lot: %+v", o)
		}
	})
}

func TestReview_HoldsWhenALabelIsPutRight(t *testing.T) {
	each(t, func(r *rig) {
		r.kept(tam, r.treatment(-40))
		o := r.kept(tam, r.harvest(0, 500))
		input, _, err := r.db.Record(t.Context(), farm.Input, "oxytet")
		if err != nil {
			t.Fatal(err)
		}
		input.Values["withdrawal_days"] = 50.0
		if _, err := r.db.SaveRecord(t.Context(), input, ledger.By{Actor: "u-lan", At: r.now}); err != nil {
			t.Fatal(err)
		}
		if err := r.desk.Review(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := r.lot(o.Lot); s.Lot.State != trace.Held || s.Hold.By != ledger.Server {
			t.Errorf("%+v %+v", s, s.Hold)
		}
	})
}

func TestTake_OneBadEntryHoldsNothingBack(t *testing.T) {
	each(t, func(r *rig) {
		good, again := r.treatment(-90), r.treatment(-80)
		ghost := r.treatment(-1)
		ghost.Values["input"] = "ghost"
		future := r.treatment(2)
		elsewhere := r.treatment(-1)
		elsewhere.Place = "zzzzz"
		reused := r.harvest(-85, 3)
		reused.ID = good.ID
		photo := r.treatment(-1)
		photo.Media = []diary.Media{{SHA256: "00", Type: "image/jpeg"}}
		bad := r.treatment(-1)
		bad.ID = "x"
		unknown := r.sent("dance", 0, nil)
		nulID, nulOld, nulNote, nulPhoto, nulPlace, nulCycle := r.treatment(-1), r.treatment(-1), r.treatment(-1), r.treatment(-1), r.treatment(-1), r.treatment(-1)
		nulID.ID, nulOld.Corrects, nulNote.Note, nulPlace.Place, nulCycle.Cycle = "a\x00", "b\x00", "c\x00", "d\x00", "e\x00"
		nulPhoto.Media = []diary.Media{{SHA256: "f\x00", Type: "image/jpeg"}}
		got := r.take(tam, good, ghost, future, elsewhere, reused, photo, bad, unknown, again, good, nulID, nulOld, nulNote, nulPhoto, nulPlace, nulCycle)
		want := []string{"kept", "refused fields", "refused future", "refused place", "refused reused", "refused media", "refused id", "refused kind", "kept", "known", "refused id", "refused corrects", "refused note", "refused media", "refused place", "refused cycle"}
		for i, o := range got {
			if s := string(o.State); s+" "+o.Code != want[i] && s != want[i] {
				t.Errorf("entry %d: %+v, want %s", i, o, want[i])
			}
		}
		if p := got[1].Problems; len(p) != 1 || p[0].Key != "input" || p[0].Code != form.NoRecord {
			t.Errorf("%+v", p)
		}
		inspector := tam
		inspector.Role = account.Inspector
		r.refused(inspector, r.treatment(-1), "right")
	})
}

// A phone whose clock stands in another year writes what was done today.
func TestTake_PutsAWrongClockRight(t *testing.T) {
	each(t, func(r *rig) {
		for _, wrong := range []time.Duration{-11 * 365 * 24 * time.Hour, 4 * 365 * 24 * time.Hour, -time.Hour} {
			s := r.treatment(0)
			s.Occurred, s.Recorded, s.SentAt = r.now.Add(wrong-time.Hour), r.now.Add(wrong-time.Hour), r.now.Add(wrong)
			out, err := r.desk.Take(t.Context(), tam, []diary.Sent{s})
			if err != nil || out[0].State != diary.Kept {
				t.Fatalf("%s: %+v, %v", wrong, out, err)
			}
			e, _, err := r.db.Event(t.Context(), s.ID)
			if err != nil || !e.At().Equal(r.now.Add(-time.Hour)) || e.Skew != -wrong || e.Cycle != "vu-thu" {
				t.Errorf("%s: %+v at %s, %v", wrong, e, e.At(), err)
			}
		}
		s := r.treatment(0)
		s.SentAt = r.now.Add(-time.Minute) // what a network takes
		if _, err := r.desk.Take(t.Context(), tam, []diary.Sent{s}); err != nil {
			t.Fatal(err)
		}
		if e, _, err := r.db.Event(t.Context(), s.ID); err != nil || e.Skew != 0 {
			t.Errorf("%+v, %v", e, err)
		}
	})
}

func TestTake_AnswersALostAnswerAgainWithTheLot(t *testing.T) {
	each(t, func(r *rig) {
		r.kept(tam, r.treatment(-10))
		h := r.harvest(0, 500)
		h.Values["destination"] = "  chợ Thanh Miện " // as a phone sends it
		first := r.kept(tam, h)
		again := r.take(tam, h)[0]
		if again.State != diary.Known || again.Lot != first.Lot || !again.Held {
			t.Errorf("%+v after %+v", again, first)
		}
		all, err := r.db.DiaryLots(t.Context(), r.pond, time.Time{})
		if err != nil || len(all) != 1 {
			t.Errorf("%d lots, %v", len(all), err)
		}
		r.kept(tam, r.correct(h, func(e *diary.Event) { e.Values = form.Values{"kg": 1.0} }))
		r.refused(lan, r.correct(h, func(e *diary.Event) { e.Values = form.Values{"kg": 2.0} }), "corrects")
	})
}

func TestNextCode_GoesOnAfterZ(t *testing.T) {
	taken := []string{}
	for range 27 {
		taken = append(taken, desk.NextCode("AO1-261125", taken))
	}
	if taken[0] != "AO1-261125" || taken[1] != "AO1-261125-B" || taken[25] != "AO1-261125-Z" || taken[26] != "AO1-261125-27" {
		t.Errorf("%v", taken)
	}
	if got := desk.CodePrefix("ruong-khoai-so-12", morning); got != "RUONG-KHO-261125" {
		t.Errorf("%s", got)
	}
}

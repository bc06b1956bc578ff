package notify_test

import (
	"context"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"slices"
	"testing"
	"time"

	"aovuon/server/channel/mail"
	"aovuon/server/channel/mail/smtptest"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
	"aovuon/server/web"
)

// BenchmarkTold is from the commit of a critical alarm to its mail in the hands of a mail server, for one contact among 20, with the words of
// the pages: what telling adds to the persistence of a limit and to the tick of the alarms.
func BenchmarkTold(b *testing.B) {
	db := sqldbtest.Open(b, sqldbtest.SQLite(b))
	f, err := farm.Demo()
	if err != nil {
		b.Fatal(err)
	}
	by := ledger.By{Actor: ledger.Operator, At: time.Now()}
	if err := db.SaveFarm(b.Context(), f, by); err != nil {
		b.Fatal(err)
	}
	post := smtptest.Start(b, smtptest.Options{})
	for i := range 20 {
		c := notify.Contact{
			ID: fmt.Sprintf("01K000000000000000000000%02d", i), Name: fmt.Sprint("contact ", i), Lang: "vi", Level: rule.Crit, Agreed: by.At, Step: min(i, 9),
			Addresses: []notify.Address{{Channel: "mail", To: fmt.Sprintf("c%d@example.vn", i)}},
		}
		if err := db.SaveContact(b.Context(), c, by); err != nil {
			b.Fatal(err)
		}
	}
	composer, err := web.NewComposer(db, "https://tx.example.vn")
	if err != nil {
		b.Fatal(err)
	}
	desk, wake := alarm.NewDesk(db, db, time.Now), make(chan struct{}, 1)
	s, err := notify.New(notify.Options{
		Alarms: desk, Plans: db, Outbox: db, Book: db, Composer: composer, Alone: true, Wake: wake, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Channels: []notify.Channel{mail.New(mail.Options{Server: post.Addr, Security: mail.None, From: netmail.Address{Address: "a@example.vn"}, Now: time.Now})},
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var took []time.Duration
	for b.Loop() {
		took = append(took, tellOne(b, db, wake, post, f.Places[0].Code, len(took)))
	}
	stop()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Milliseconds()), "p99-ms")
}

func tellOne(b *testing.B, db *sqldb.DB, wake chan<- struct{}, post *smtptest.Server, place string, n int) time.Duration {
	b.Helper()
	at := time.Now().UTC().Truncate(time.Millisecond)
	a := alarm.Alarm{
		ID: fmt.Sprintf("01J%023d", n), Key: alarm.Key{Place: place, Topic: oxygen}, State: alarm.Firing, Level: rule.Crit, Began: at, Since: at, Fired: at,
		Decision: rule.Decision{Place: place, Topic: oxygen, Verdict: rule.Crit, At: at, Why: []rule.Reason{rule.Because("outdated", rule.At(at))}},
	}
	list := []alarm.Change{{Alarm: a, What: alarm.ToState, From: alarm.Pending, At: at}}
	begun := time.Now()
	if err := db.KeepAlarmChanges(b.Context(), list); err != nil {
		b.Fatal(err)
	}
	wake <- struct{}{} // as the tick of the alarms does
	<-post.Arrived()
	took := time.Since(begun)
	a = list[0].Alarm
	a.State, a.Ended = alarm.Normal, at
	if err := db.KeepAlarmChanges(b.Context(), []alarm.Change{{Alarm: a, What: alarm.ToState, From: alarm.Firing, At: at}}); err != nil {
		b.Fatal(err)
	}
	wake <- struct{}{}
	<-post.Arrived() // all is well
	return took
}

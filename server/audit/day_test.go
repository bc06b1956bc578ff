package audit_test

import (
	"fmt"
	mrand "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/audit"
	"aovuon/server/farm"
	"aovuon/server/parttest"
	"aovuon/server/sqldb/sqldbtest"
)

// A server that drops, adds or changes one reading of a day, without the gateway's key or with it, or a whole batch: the audit names the
// gateway, the sensor and the day.
func TestAudit_NamesGatewaySensorAndDay(t *testing.T) {
	b := newBook(t)
	list := b.batches()
	r := mrand.New(mrand.NewPCG(17, 17))
	runs := parttest.Effort(t, 12, 40, 300, 3000)
	for run := range runs {
		at := 1 + r.IntN(len(list)-2) // batches before and after it are there
		batch, err := wire.OpenUnverified(list[at])
		if err != nil {
			t.Fatal(err)
		}
		day := batch.Readings[0].Time.Wall.In(farm.Time()).Format(time.DateOnly)
		how, body := falsified(t, b, r, batch, run%6)
		position := at + 1
		if body == nil {
			sqldbtest.Tamper(t, b.config, `DELETE FROM batch WHERE position = ?`, position)
			sqldbtest.Tamper(t, b.config, `UPDATE batch SET position = -position WHERE position > ?`, position)
			sqldbtest.Tamper(t, b.config, `UPDATE batch SET position = -position - 1 WHERE position < 0`)
		} else {
			sqldbtest.Tamper(t, b.config, `UPDATE batch SET body = ? WHERE position = ?`, b.db.Pack(body), position)
		}
		report, err := b.audit(audit.Options{})
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		named := slices.ContainsFunc(report.Findings, func(f audit.Finding) bool {
			s := f.String()
			return strings.Contains(s, gateway) && strings.Contains(s, "ao1-do") && strings.Contains(s, day)
		})
		if report.Sound() || !named {
			t.Fatalf("run %d, %s in batch %d of %s: findings %v", run, how, position, day, report.Findings)
		}
		if body == nil {
			sqldbtest.Tamper(t, b.config, `UPDATE batch SET position = -position WHERE position >= ?`, position)
			sqldbtest.Tamper(t, b.config, `UPDATE batch SET position = 1 - position WHERE position < 0`)
			hash := wire.HashOf(list[at])
			sqldbtest.Tamper(t, b.config, `INSERT INTO batch (position, gateway, epoch, seq, received_ms, hash, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
				position, batch.Gateway, batch.Epoch, int64(batch.Seq), b.now.UnixMilli(), hash[:], b.db.Pack(list[at]))
		} else {
			sqldbtest.Tamper(t, b.config, `UPDATE batch SET body = ? WHERE position = ?`, b.db.Pack(list[at]), position)
		}
	}
	if report, err := b.audit(audit.Options{}); err != nil || !report.Sound() {
		t.Fatalf("after all was undone: %+v, %v", report, err)
	}
	t.Logf("%d falsified days, %d named by gateway, sensor and day", runs, runs)
}

// falsified returns a batch as a dishonest server would keep it; nil: it keeps none.
func falsified(t *testing.T, b *book, r *mrand.Rand, batch *wire.Batch, how int) (what string, body []byte) {
	t.Helper()
	i := r.IntN(len(batch.Readings))
	switch how {
	case 0, 3:
		what, batch.Readings[i].Value = "a reading changed", batch.Readings[i].Value+0.5
	case 1, 4:
		what, batch.Readings = "a reading dropped", slices.Delete(batch.Readings, i, i+1)
	case 2:
		extra := batch.Readings[i]
		extra.Value, extra.Time.Wall = 5, extra.Time.Wall.Add(time.Minute)
		what, batch.Readings = "a reading added", slices.Insert(batch.Readings, i+1, extra)
	default:
		return "a batch dropped", nil
	}
	signer := b.signer
	if how < 3 { // it does not have the gateway's key
		signer, _ = keyPair(t, gateway)
		what += " without the key"
	}
	raw, err := wire.Seal(batch, signer)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", what, err))
	}
	return what, raw
}

package app

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"aovuon/server/diary"
	"aovuon/server/diary/desk"
	"aovuon/server/diary/gate"
	"aovuon/server/media"
	"aovuon/server/web"
)

// mediaFolder is where photos and voice notes of the diary lie in the data folder. Backups take it along.
const mediaFolder = "media"

func (c *Config) shelf(index media.Index) *media.Shelf {
	return media.New(filepath.Join(c.sharedDir(), mediaFolder), index)
}

// newDesk makes the desk that takes the diary in. While temperatures cannot be read, degree-days are unknown, which holds a lot rather than lets
// it go; what farmers write is taken in all the same.
func newDesk(d deps) *desk.Desk {
	a := assessor(d)
	return desk.New(d.db, d.db, desk.Rules(func(ctx context.Context, c gate.Case) (gate.Verdict, error) {
		v, err := a.Judge(ctx, c)
		if err != nil && ctx.Err() == nil {
			d.log.Warn("a lot is judged without temperatures", slog.Any("err", err))
			c.Settings, err = a.Settings, nil
			v = gate.Judge(c)
		}
		return v, err
	}), d.now, d.log)
}

// entries is the desk as pages know it.
type entries struct{ desk *desk.Desk }

// Take implements web.Desk.
func (i entries) Take(ctx context.Context, by web.Writer, sent []diary.Sent) ([]diary.Outcome, error) {
	return i.desk.Take(ctx, desk.Who{Actor: by.Actor, Device: by.Device, Own: by.Own, Role: by.Role}, sent)
}

// How often lots are judged again when the register changed, and files of erased media are looked for.
const (
	reviewEvery = 15 * time.Second
	sweepEvery  = time.Hour
)

// runDiary judges lots again whenever farm or register changed: a waiting time that is put right counts for what was harvested, too. And it
// removes the files of media that were erased. What fails is tried again.
func (s *running) runDiary(ctx context.Context, d *desk.Desk) error {
	review, sweep := time.NewTicker(reviewEvery), time.NewTicker(sweepEvery)
	defer review.Stop()
	defer sweep.Stop()
	seen := ""
	s.sweepMedia(ctx)
	for {
		if held, err := s.goods.Follow(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("lots do not follow what they are made of", slog.Any("err", err))
		} else if held > 0 {
			s.log.Info("lots are held with what they are made of", slog.Int("lots", held))
		}
		if now, err := s.rules(ctx); err != nil {
			s.log.Debug("lots are not judged again", slog.Any("err", err))
		} else if now != seen {
			if err := d.Review(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("lots are not judged again", slog.Any("err", err))
			} else {
				seen = now
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-review.C:
		case <-sweep.C:
			s.sweepMedia(ctx)
		}
	}
}

// rules changes whenever what lots are judged by does, but for the diary itself.
func (s *running) rules(ctx context.Context) (string, error) {
	register, err := s.db.RegisterRevision(ctx)
	if err != nil {
		return "", err
	}
	farm, err := s.db.FarmRevision(ctx)
	if err != nil {
		return "", err
	}
	stops, err := s.db.GoodsStops(ctx)
	return register + "/" + farm + "/" + stops, err
}

func (s *running) sweepMedia(ctx context.Context) {
	gone, err := s.config.shelf(s.db).Sweep(ctx, s.now())
	switch {
	case err != nil && ctx.Err() == nil:
		s.log.Warn("files of erased photos and voice notes stay", slog.Any("err", err))
	case gone > 0:
		s.log.Info("files of photos and voice notes removed", slog.Int("files", gone))
	}
}

package web

import (
	"context"

	"aovuon/server/account"
)

// placeAlarms is what the page of a place shows of its alarms.
type placeAlarms struct {
	Open []alarmRow
	Work string // link to the form of a maintenance; empty: the visitor may not
}

// alarmPanel shows the alarms of a place that last; nothing where there is none.
func (s *Server) alarmPanel(ctx context.Context, w *words, at placeAt) (any, error) {
	if s.o.Alarms == nil {
		return nil, nil //nolint:nilnil // nothing to say is no error
	}
	open, err := s.o.Alarms.Open(ctx)
	if err != nil {
		return nil, err
	}
	var v placeAlarms
	unanswered(open)
	for _, a := range open {
		if a.Place == at.Place.Code && s.seesAlarm(ctx, at.Farm, a) {
			v.Open = append(v.Open, s.newAlarmRow(ctx, w, at.Farm, a, at.Now))
		}
	}
	if len(v.Open) == 0 {
		return nil, nil //nolint:nilnil // as above
	}
	if s.may(ctx, account.EditFarm) {
		v.Work = "/alarms/maintenance?place=" + at.Place.Code
	}
	return v, nil
}

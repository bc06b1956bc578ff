// Package historytest holds the promises every history engine keeps: one contract suite, run on the real engine.
//
// A way to open the engine comes in; verdicts go out through testing.T.
package historytest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

// Engine is how the suite reaches one engine.
type Engine struct {
	// Open returns an empty store. It is closed when its test ends.
	Open func(t *testing.T) history.Store
	// Reopen opens the data of a store, which the suite has closed, once more.
	Reopen func(t *testing.T, closed history.Store) history.Store
	// Kill ends the engine as a power cut would and Start starts it again; nil for an engine within the process.
	Kill, Start func()
}

// Run runs the suite.
func Run(t *testing.T, e Engine) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Engine)
	}{
		{"EmptyHistoryAnswersNothing", emptyHistory},
		{"WritingAgainChangesNothing", writingAgain},
		{"OrderOfWritingDoesNotMatter", orderDoesNotMatter},
		{"LaterPointReplacesEarlier", replacement},
		{"FaultsAndOutOfRangeDisturbNoFigure", faultsDisturbNothing},
		{"RawRangeGivesEveryPoint", rawRange},
		{"BoundsAreFromInclusiveToExclusive", bounds},
		{"StepsFollowLocalTime", steps},
		{"TheDayTheClocksChangeIsOneStep", summerTime},
		{"LatestIsTheNewestOfWhateverQuality", latest},
		{"LatestOfTwoThousandSeries", latestOfMany},
		{"SeriesDoNotMix", seriesDoNotMix},
		{"ValuesComeBackExactly", exactValues},
		{"BadPointsAreNamedAndTheRestStored", rejection},
		{"NonsenseQueriesAreRefused", nonsense},
		{"LargeWrites", largeWrites},
		{"WritersDoNotDisturbEachOther", concurrentWriters},
		{"CancelledMeansCancelled", cancellation},
		{"EachStreamsAndStops", eachStreams},
		{"CountsThePointsOfEachGateway", counts},
		{"SummariseSeesGaps", summarise},
		{"AgreesWithTheModel", agreesWithModel},
		{"RollupsOfHoursAndDays", hoursAndDays},
		{"ChangedLimitsJudgeAgain", judgedAgain},
		{"PointsLetGoLeaveTheirRollups", letGo},
		{"SeriesOfRollups", seriesOfRollups},
		{"RollupsMadeWhileWriting", rollupsWhileWriting},
		{"RollupsSayWhatThePointsSay", rollupsAgree},
		{"WrittenIsKeptOverReopening", reopening},
		{"DownIsUnavailableAndHealsByItself", downAndUp},
		{"AcknowledgedSurvivesKill9", kill9},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, e) })
	}
}

// open opens an empty store and closes it at the end.
func (e Engine) open(t *testing.T) history.Store {
	t.Helper()
	s := e.Open(t)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// t0 is midnight at Phú Khê.
func t0() time.Time { return time.Date(2026, 5, 1, 0, 0, 0, 0, hcm()) }

func hcm() *time.Location { return time.FixedZone("+07", 7*60*60) }

// pond is the series most tests use.
func pond() history.Series {
	return history.Series{Place: "AO1", Quantity: measure.DissolvedOxygen, Gateway: "gw-ao-phukhe", Sensor: "ao1-do"}
}

func point(s history.Series, after time.Duration, value float64) history.Point {
	return history.Point{Series: s, Time: t0().Add(after).UTC(), Value: value}
}

func fault(s history.Series, after time.Duration) history.Point {
	return history.Point{Series: s, Time: t0().Add(after).UTC(), Quality: measure.Fault}
}

func of(p history.Point, q measure.Quality) history.Point {
	p.Quality = q
	return p
}

// minutes returns n points, one a minute, with values i modulo 100.
func minutes(s history.Series, n int) []history.Point {
	points := make([]history.Point, n)
	for i := range points {
		points[i] = point(s, time.Duration(i)*time.Minute, float64(i%100))
	}
	return points
}

func write(t *testing.T, s history.Store, points ...history.Point) {
	t.Helper()
	if err := s.Write(t.Context(), points); err != nil {
		t.Fatalf("Write: %v", err)
	}
}

// all returns every point of a series.
func all(t *testing.T, s history.Store, k history.Series) []history.Point {
	t.Helper()
	points, err := collect(t.Context(), s, k, t0().AddDate(-1, 0, 0), t0().AddDate(1, 0, 0))
	if err != nil {
		t.Fatalf("Each: %v", err)
	}
	return points
}

func collect(ctx context.Context, s history.Store, k history.Series, from, to time.Time) (points []history.Point, err error) {
	err = s.Each(ctx, k, from, to, func(p history.Point) error {
		points = append(points, p)
		return nil
	})
	return points, err
}

func rangeOf(t *testing.T, s history.Store, q history.Query) []history.Bucket {
	t.Helper()
	buckets, err := s.Range(t.Context(), q)
	if err != nil {
		t.Fatalf("Range: %v", err)
	}
	return buckets
}

// same compares answers; means are sums, and engines may add in any order.
func same(t testing.TB, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func sensor(i int) history.Series {
	s := pond()
	s.Sensor = fmt.Sprintf("s%d", i)
	return s
}

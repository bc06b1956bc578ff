package story_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"aovuon/gateway/measure"
)

// trouble is what is done to one device, and what its sensor must say of it.
type trouble struct {
	device, fault string
	sensor        string
	want          measure.FaultReason
}

// TestChipFaults_AreRecordsWithReasonsAndHeal: a chip that is unplugged, shorted, corrupting or busy for ever gives fault
// records with the reason and never a number, all the way to the history and the Vietnamese page; mended, it measures on,
// and nobody restarted anything.
func TestChipFaults_AreRecordsWithReasonsAndHeal(t *testing.T) {
	t.Parallel()
	f := newField(t, setting{devices: one()})
	f.startSim()
	f.startServer()
	f.gateway.start()
	s := &seen{field: f, all: map[string][]measure.Reading{}}
	for _, d := range f.devices {
		s.awaitValue(d.id, time.Time{})
	}
	pid := f.gateway.PID()
	words := f.words()
	var ill []window
	for _, round := range rounds() {
		began := time.Now()
		for _, tr := range round {
			f.breakChip(tr.device, tr.fault)
		}
		broken := time.Now()
		for _, tr := range round {
			s.awaitFaults(tr.sensor, tr.want, broken)
			f.awaitPage("/places/"+f.device(tr.sensor).of().code, words["fault."+string(tr.want)])
		}
		mending := time.Now()
		f.heal("all")
		for _, tr := range round {
			s.neverANumber(tr.sensor, broken, mending)
			s.awaitValue(tr.sensor, time.Now())
		}
		ill = append(ill, window{began.UnixMilli(), time.Now().UnixMilli()})
	}
	ill = append(ill, s.unplugEverything())
	if !f.gateway.Running() || f.gateway.PID() != pid {
		t.Error("the gateway was started again")
	}
	a := account{dated: 1500 * time.Millisecond, faultsIn: ill, losses: ill[len(ill)-1:]} // the simulator's last answers found nobody
	a.settleField(f, func(from, to time.Time) {
		a.losses = append(a.losses, interrupted(from, to))
	})
	sum := a.settle(t)
	t.Logf("%d readings and %d fault records in history", sum.Readings, sum.Faults)
	if sum.Faults < 100 {
		t.Errorf("only %d fault records", sum.Faults)
	}
}

// rounds are what is broken at the same time: in every round each sensor has one trouble at most.
func rounds() [][]trouble {
	return [][]trouble{
		{
			{"nuoc", "unplug", "nuoc", measure.NoResponse},
			{"oxy", "stuck", "oxy", measure.NotReady},
			{"ph", "unplug", "ph", measure.NoResponse},
			{"kk", "crc", "kk", measure.CRC},
			{"ap", "unplug", "ap", measure.NoResponse},
			{"am", "shorted", "am", measure.Shorted},
		},
		{
			{"nuoc", "crc", "nuoc", measure.CRC},
			{"oxy", "garbled", "oxy", measure.Garbled},
			{"ph", "stuck", "ph", measure.NotReady},
			{"kk", "shorted", "kk", measure.Shorted},
			{"ap", "powerup", "ap", measure.PowerUp},
			{"adc-i2c-2", "unplug", "am", measure.NoResponse},
		},
		{
			{"nuoc", "shorted", "nuoc", measure.Shorted},
			{"oxy", "unplug", "oxy", measure.NoResponse},
			{"ph", "shorted", "ph", measure.Shorted},
			{"kk", "stuck", "kk", measure.NotReady},
			{"ap", "stuck", "ap", measure.NotReady},
			{"adc-i2c-2", "stuck", "am", measure.NotReady},
		},
		{
			{"nuoc", "powerup", "nuoc", measure.PowerUp},
			{"kk", "unplug", "kk", measure.NoResponse},
			{"ap", "shorted", "ap", measure.Shorted},
			{"adc-i2c-2", "shorted", "am", measure.Shorted},
		},
	}
}

// unplugEverything stops the simulator and starts it again: every bus is gone, and comes back.
func (s *seen) unplugEverything() window {
	s.t.Helper()
	began := time.Now()
	s.sim.stop()
	gone := time.Now()
	for _, d := range s.devices {
		want := measure.BusDown
		if d.bus == "w1" {
			want = measure.NoResponse // the folder is there, the thermometer is not
		}
		s.awaitFaults(d.id, want, gone)
	}
	back := time.Now()
	s.startSim()
	for _, d := range s.devices {
		s.neverANumber(d.id, gone, back)
		s.awaitValue(d.id, time.Now())
	}
	return window{began.UnixMilli(), time.Now().UnixMilli()}
}

func (f *field) device(id string) device {
	f.t.Helper()
	for _, d := range f.devices {
		if d.id == id {
			return d
		}
	}
	f.t.Fatalf("no device %s", id)
	return device{}
}

// words are the texts of the Vietnamese pages.
func (f *field) words() map[string]string {
	f.t.Helper()
	raw, err := os.ReadFile("../../server/web/locales/vi.yaml")
	if err != nil {
		f.t.Fatal(err)
	}
	words := map[string]string{}
	if err := yaml.Unmarshal(raw, &words); err != nil {
		f.t.Fatal(err)
	}
	for _, r := range measure.FaultReasons() {
		if text := words["fault."+string(r)]; text == "" || !strings.ContainsFunc(text, func(c rune) bool { return c > 0x7f }) {
			f.t.Errorf("fault.%s has no Vietnamese text: %q", r, text)
		}
	}
	return words
}

// seen is what a story has read of the batch log so far: unlike the history it keeps a fault's reason.
type seen struct {
	*field
	position int64
	all      map[string][]measure.Reading // by sensor
}

func (s *seen) readOn() {
	s.t.Helper()
	for {
		records, err := s.database().After(s.t.Context(), s.position, 500, 0)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, r := range records {
			s.position = r.Position
			for _, reading := range r.Batch.Readings {
				s.all[reading.Sensor] = append(s.all[reading.Sensor], reading)
			}
		}
		if len(records) == 0 {
			return
		}
	}
}

// awaitValue waits for two rounds of values of a sensor, all taken after since.
func (s *seen) awaitValue(sensor string, since time.Time) {
	s.t.Helper()
	s.awaitReadings(sensor, since, "values", func(r measure.Reading) bool { return r.Quality != measure.Fault })
}

// awaitFaults waits for two rounds of fault records of a sensor with a reason.
func (s *seen) awaitFaults(sensor string, why measure.FaultReason, since time.Time) {
	s.t.Helper()
	s.awaitReadings(sensor, since, "faults for "+string(why), func(r measure.Reading) bool {
		return r.Quality == measure.Fault && r.Reason == why
	})
}

func (s *seen) awaitReadings(sensor string, since time.Time, what string, good func(measure.Reading) bool) {
	s.t.Helper()
	want := 2 * len(s.device(sensor).of().measures)
	await(s.t, sensor+": "+what, func() (bool, string) {
		s.readOn()
		n, last := 0, "nothing"
		for _, r := range s.all[sensor] {
			if r.Time.Wall.After(since) {
				if good(r) {
					n++
				}
				last = fmt.Sprintf("%+v", r)
			}
		}
		return n >= want, last
	})
}

// neverANumber looks at every record of a broken sensor, from its first fault after it was broken until it was mended.
func (s *seen) neverANumber(sensor string, broken, mended time.Time) {
	s.t.Helper()
	faulty := false
	for _, r := range s.all[sensor] {
		if !r.Time.Wall.After(broken) || !r.Time.Wall.Before(mended) {
			continue
		}
		faulty = faulty || r.Quality == measure.Fault
		if faulty && r.Quality != measure.Fault {
			s.t.Errorf("%s gave a number while it was broken: %+v", sensor, r)
		}
	}
}

package story_test

import (
	"bytes"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aovuon/firmware-sim/control"
	"aovuon/gateway/measure"
)

// TestCalibration_ADriftedProbeIsMadeRightAndTheServerKnows: a pH electrode has aged. Somebody leads it through three buffers
// with the gateway's own command while the gateway runs; meanwhile its pond has no pH; afterwards its readings are right
// again, and the co-op's page says who did it.
func TestCalibration_ADriftedProbeIsMadeRightAndTheServerKnows(t *testing.T) {
	t.Parallel()
	f := newField(t, setting{devices: one()})
	f.startSim()
	f.startServer()
	f.gateway.start()
	s := &seen{field: f, all: map[string][]measure.Reading{}}
	s.awaitValue("ph", time.Time{})
	before := s.newest("ph")
	f.tell("drift ph 0.9 1.1")
	drifted := time.Now()
	s.awaitValue("ph", drifted)
	if wrong := s.newest("ph"); math.Abs(wrong-before) < 0.2 {
		t.Fatalf("pH %v after the drift, %v before: nothing to calibrate", wrong, before)
	}

	talk := f.calibrate("ph", "--who", "Lê Thị Hoa", "--serial", "PRB-0417", "--point", "7.00", "--point", "4.00", "--point", "10.00",
		"--buffer-lot", "mid=L7", "--buffer-lot", "low=L4", "--buffer-lot", "high=L10", "--buffer-expiry", "2099-01", "--temperature", "25",
		"--note", "sau mưa")
	began := time.Now()
	for _, step := range []struct{ prompt, bath string }{{"1 of 3, mid", "dip ph 7.00 25"}, {"2 of 3, low", "dip ph 4.00 25"}, {"3 of 3, high", "dip ph 10.00 25"}} {
		talk.await(step.prompt)
		f.tell(step.bath)
		talk.say("")
	}
	talk.await("Keep this calibration?")
	s.awaitFaults("ph", measure.Calibrating, began)
	s.neverANumber("ph", began, time.Now())
	f.tell("dip ph out")
	talk.say("y")
	talk.end(0)
	kept := time.Now()

	s.awaitValue("ph", kept)
	if after := s.newest("ph"); math.Abs(after-before) > 0.1 {
		t.Errorf("pH %v after the calibration, %v before the drift", after, before)
	}
	f.awaitPage("/places/"+pondCode+"/calibrations", "Lê Thị Hoa", "PRB-0417", "L10", "sau mưa", "Dung dịch đệm pH")
	f.awaitPage("/places/"+pondCode, "Hiệu chuẩn đầu dò", "Lê Thị Hoa làm")
	if list := once(t, "gateway", "calibrate", "--config", f.path("gateway.yaml")); !strings.Contains(list, "in-force") || !strings.Contains(list, "Lê Thị Hoa") {
		t.Errorf("the list says\n%s", list)
	}
	f.gateway.stop()
	if list := once(t, "gateway", "calibrate", "--config", f.path("gateway.yaml")); !strings.Contains(list, "in-force") {
		t.Errorf("without a running gateway the list says\n%s", list)
	}
}

// TestCalibration_CtrlCLeavesTheProbeAsItWas: also when no gateway runs and the command does the work itself.
func TestCalibration_CtrlCLeavesTheProbeAsItWas(t *testing.T) {
	t.Parallel()
	f := newField(t, setting{devices: one()})
	f.startSim()
	talk := f.calibrate("ph", "--who", "Tâm", "--temperature", "25", "--buffer-lot", "L", "--buffer-expiry", "2099-01", "--point", "7.00")
	talk.await("1 of 3, mid")
	f.tell("dip ph 7.00 25")
	talk.say("")
	talk.await("2 of 3, low")
	talk.interrupt()
	talk.await("the circuit has its old calibration again")
	talk.end(1)
	f.tell("dip ph 4.00 25")
	talk = f.calibrate("ph", "--who", "Tâm", "--temperature", "25", "--point", "7.00", "--yes")
	talk.await("is it in the right bottle")
	talk.end(1)
	f.tell("dip ph 7.00 25")
	talk = f.calibrate("ph", "--who", "Tâm", "--temperature", "25", "--point", "7.00", "--buffer-lot", "X", "--yes")
	talk.await("Kept: record")
	talk.end(0)
	if got := once(t, "gateway", "calibrate", "--config", f.path("gateway.yaml")); strings.Count(got, "Tâm") != 1 {
		t.Errorf("the list says\n%s", got)
	}
}

// tell asks the simulator for something.
func (f *field) tell(request string) {
	f.t.Helper()
	if _, err := control.Ask(f.t.Context(), f.path("control.sock"), request); err != nil {
		f.t.Fatalf("%s: %v", request, err)
	}
}

// newest is the newest value of a sensor.
func (s *seen) newest(sensor string) float64 {
	s.t.Helper()
	s.readOn()
	for _, r := range slices.Backward(s.all[sensor]) {
		if r.Quality != measure.Fault {
			return r.Value
		}
	}
	s.t.Fatalf("%s has no value", sensor)
	return 0
}

// dialogue is somebody at the terminal of `gateway calibrate`.
type dialogue struct {
	*program
	in io.WriteCloser
}

func (f *field) calibrate(sensor string, args ...string) *dialogue {
	f.t.Helper()
	p := newProgram(f.t, "gateway", append([]string{"calibrate", sensor, "--config", f.path("gateway.yaml")}, args...)...)
	d := &dialogue{program: p}
	answers, in, err := os.Pipe()
	if err != nil {
		f.t.Fatal(err)
	}
	p.In, d.in = answers, in
	f.t.Cleanup(func() {
		for _, c := range []io.Closer{answers, in} {
			if err := c.Close(); err != nil {
				f.t.Error(err)
			}
		}
	})
	p.start()
	return d
}

func (d *dialogue) await(text string) {
	d.t.Helper()
	d.awaitOutput(text)
}

// end waits for the program's end and looks at its status.
func (d *dialogue) end(status int) {
	d.t.Helper()
	select {
	case <-d.Ended():
	case <-time.After(patience):
		d.t.Fatalf("gateway calibrate does not end:\n%s", d.Out.Tail(4<<10))
	}
	if got := d.Status(); got != status {
		d.t.Errorf("gateway calibrate ended with %d, want %d:\n%s", got, status, d.Out.Run())
	}
}

// interrupt is Ctrl-C.
func (d *dialogue) interrupt() {
	d.t.Helper()
	if err := syscall.Kill(d.PID(), syscall.SIGINT); err != nil {
		d.t.Fatal(err)
	}
}

func (d *dialogue) say(line string) {
	d.t.Helper()
	if _, err := io.Copy(d.in, bytes.NewBufferString(line+"\n")); err != nil {
		d.t.Fatal(err)
	}
}

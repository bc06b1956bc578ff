package ezo_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"periph.io/x/conn/v3/i2c/i2ctest"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/ezo"
	"aovuon/gateway/sense/sensetest"
)

// Each point of each board is the command of its data sheet, and gets the time the data sheet says.
func TestCalibrate_SaysWhatTheDataSheetSays(t *testing.T) {
	for _, tc := range []struct {
		board   ezo.Board
		point   ezo.Point
		value   float64
		command string
		ms      int64
	}{
		{ezo.PH, ezo.Mid, 7, "Cal,mid,7.00", 900},
		{ezo.PH, ezo.Low, 4.005, "Cal,low,4.00", 900},
		{ezo.PH, ezo.High, 10, "Cal,high,10.00", 900},
		{ezo.DO, ezo.Air, 99, "Cal", 1300},
		{ezo.DO, ezo.Zero, 99, "Cal,0", 1300},
		{ezo.EC, ezo.Dry, 99, "Cal,dry", 1200},
		{ezo.EC, ezo.Single, 1413, "Cal,1413.00", 1200},
		{ezo.EC, ezo.Low, 12880, "Cal,low,12880.00", 1200},
		{ezo.EC, ezo.High, 80000, "Cal,high,80000.00", 1200},
		{ezo.ORP, ezo.Single, 225, "Cal,225.00", 900},
		{ezo.RTD, ezo.Single, 100, "Cal,100.00", 600},
	} {
		c := clock()
		bus := sensetest.NewBus(talk(settled(tc.board), said(tc.command, ""))...)
		d := ezo.New(bus, addr, tc.board, sense.NoInputs{}, c)
		before := c.Now().Uptime
		if err := d.Calibrate(t.Context(), tc.point, tc.value); err != nil {
			t.Errorf("%s: %v", tc.command, err)
		}
		questions := int64(len(settled(tc.board)) / 2)
		if waited := (c.Now().Uptime - before).Milliseconds() - 300*questions; waited != tc.ms {
			t.Errorf("%s: waited %d ms; want %d", tc.command, waited, tc.ms)
		}
		if err := bus.Close(); err != nil {
			t.Errorf("%s: %v", tc.command, err)
		}
	}
}

func TestCalibrate_RefusesWhatTheBoardHasNot(t *testing.T) {
	bus := sensetest.NewBus()
	if err := ezo.New(bus, addr, ezo.PH, sense.NoInputs{}, clock()).Calibrate(t.Context(), ezo.Dry, 0); err == nil {
		t.Error("a pH circuit was calibrated dry")
	}
	bus = sensetest.NewBus(said("I", "?I,EC,2.16")...)
	if err := ezo.New(bus, addr, ezo.PH, sense.NoInputs{}, clock()).Calibrate(t.Context(), ezo.Mid, 7); reasonOf(err) != measure.Refused {
		t.Errorf("a conductivity circuit was calibrated as pH: %v", err)
	}
	bus = sensetest.NewBus(talk(settled(ezo.PH), []i2ctest.IO{write("Cal,low,4.00"), answer(2, "")})...)
	if err := ezo.New(bus, addr, ezo.PH, sense.NoInputs{}, clock()).Calibrate(t.Context(), ezo.Low, 4); reasonOf(err) != measure.Refused {
		t.Errorf("the circuit refused: %v", err)
	}
}

func TestDev_AnswersWhatACalibrationAsks(t *testing.T) {
	bus := sensetest.NewBus(talk(
		said("I", "?I,pH,2.10"), said("Status", "?Status,P,5.03"), said("Slope,?", "?Slope,99.7,100.3,-0.89"), said("Cal,?", "?Cal,3"),
		said("Cal,clear", ""), said("Name,?", "?Name,ao1"),
	)...)
	d := ezo.New(bus, addr, ezo.PH, sense.NoInputs{}, clock())
	id, errID := d.Identify(t.Context())
	status, errStatus := d.Status(t.Context())
	slope, errSlope := d.Slope(t.Context())
	points, errPoints := d.CalPoints(t.Context())
	errClear := d.ClearCalibration(t.Context())
	name, errName := d.Command(t.Context(), "Name,?")
	for _, err := range []error{errID, errStatus, errSlope, errPoints, errClear, errName} {
		if err != nil {
			t.Error(err)
		}
	}
	if id != (ezo.Identity{Board: "pH", Firmware: "2.10"}) || status.Volts != 5.03 || slope.Offset != -0.89 || points != 3 || name != "?Name,ao1" {
		t.Errorf("%+v %+v %+v %d %q", id, status, slope, points, name)
	}
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
}

// What a command changes must not be remembered wrongly: the next value asks everything anew.
func TestCommand_MakesTheNextValueAskAnew(t *testing.T) {
	bus := sensetest.NewBus(talk(
		settled(ezo.PH), said("RT,25.00", "7.00"),
		said("Cal,clear", ""),
		said("I", "?I,pH,2.10"), said("Cal,?", "?Cal,0"), said("RT,25.00", "7.00"),
	)...)
	d := ezo.New(bus, addr, ezo.PH, at(25), clock())
	got := qualities(t, d, 1)
	if err := d.ClearCalibration(t.Context()); err != nil {
		t.Fatal(err)
	}
	got = append(got, qualities(t, d, 1)...)
	if diff := cmp.Diff([]string{"good", "uncalibrated"}, got); diff != "" {
		t.Error(diff)
	}
}

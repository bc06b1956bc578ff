package ezo_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"periph.io/x/conn/v3/i2c/i2ctest"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/ezo"
	"aovuon/gateway/sense/sensetest"
)

// Every command of a calibration gets the time that the board's data sheet says.
func TestCommand_GetsTheTimeItsBoardNeeds(t *testing.T) {
	const ms = time.Millisecond
	for _, tc := range []struct {
		board   ezo.Board
		command string
		want    time.Duration
	}{
		{ezo.PH, "Cal,mid,7.00", 900 * ms},
		{ezo.PH, "cal,low,4.00", 900 * ms},
		{ezo.PH, "Slope,?", 300 * ms},
		{ezo.PH, "R", 900 * ms},
		{ezo.DO, "Cal", 1300 * ms},
		{ezo.DO, "Cal,0", 1300 * ms},
		{ezo.DO, "R", 600 * ms},
		{ezo.DO, "RT,25", 900 * ms},
		{ezo.EC, "Cal,dry", 1200 * ms},
		{ezo.EC, "Cal,1413", 1200 * ms},
		{ezo.EC, "Cal,?", 300 * ms},
		{ezo.EC, "Cal,clear", 300 * ms},
		{ezo.EC, "R", 600 * ms},
		{ezo.ORP, "Cal,225", 900 * ms},
		{ezo.ORP, "R", 1000 * ms},
		{ezo.RTD, "Cal,25.0", 600 * ms},
		{ezo.RTD, "R", 600 * ms},
		{ezo.PH, "Export", 300 * ms},
	} {
		c := clock()
		before := c.Now().Uptime
		bus := sensetest.NewBus(said(tc.command, "x")...)
		got, err := ezo.New(bus, addr, tc.board, sense.NoInputs{}, c).Command(t.Context(), tc.command)
		if waited := c.Now().Uptime - before; err != nil || got != "x" || waited != tc.want {
			t.Errorf("%s: %s: %q, %v after %v; want %v", tc.board, tc.command, got, err, waited, tc.want)
		}
		if err := bus.Close(); err != nil {
			t.Errorf("%s: %v", tc.command, err)
		}
	}
}

func TestCommand_ThatTheCircuitDoesNotKnowIsRefused(t *testing.T) {
	bus := sensetest.NewBus(write("Slope,?"), answer(2, ""))
	if got, err := ezo.New(bus, addr, ezo.EC, sense.NoInputs{}, clock()).Command(t.Context(), "Slope,?"); reasonOf(err) != measure.Refused || got != "" || !strings.Contains(err.Error(), "Slope,?") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestIdentify(t *testing.T) {
	bus := sensetest.NewBus(talk(said("I", "?I,pH,2.10"), said("Cal,?", "?Cal,3"))...)
	d := ezo.New(bus, addr, ezo.PH, sense.NoInputs{}, clock())
	id, err := d.Identify(t.Context())
	if err != nil || id != (ezo.Identity{Board: "pH", Firmware: "2.10"}) {
		t.Errorf("%+v, %v", id, err)
	}
	if n, err := d.CalPoints(t.Context()); err != nil || n != 3 {
		t.Errorf("%d, %v", n, err)
	}
}

// What a command changes must not be remembered wrongly: the next value asks everything anew.
func TestCommand_MakesTheNextValueAskAnew(t *testing.T) {
	bus := sensetest.NewBus(talk(
		settled(ezo.PH), said("RT,25.00", "7.00"),
		said("Cal,clear", ""),
		[]i2ctest.IO{write("I"), answer(1, "?I,pH,2.10")}, said("Cal,?", "?Cal,0"), said("RT,25.00", "7.00"),
	)...)
	d := ezo.New(bus, addr, ezo.PH, at(25), clock())
	got := qualities(t, d, 1)
	if _, err := d.Command(t.Context(), "Cal,clear"); err != nil {
		t.Fatal(err)
	}
	got = append(got, qualities(t, d, 1)...)
	if diff := cmp.Diff([]string{"good", "uncalibrated"}, got); diff != "" {
		t.Error(diff)
	}
}

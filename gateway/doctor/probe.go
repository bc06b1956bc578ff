package doctor

import (
	"fmt"

	"aovuon/gateway/measure"
)

// MendFault says what to do about a probe without a value. address is its I²C address, 0 when it has none; device its
// 1-Wire name.
func MendFault(reason measure.FaultReason, address uint16, device string) string {
	switch reason {
	case measure.NoResponse:
		switch {
		case address != 0:
			return fmt.Sprintf("check its plug, its supply and its address (0x%02x): gateway scan shows who answers", address)
		case device != "":
			return fmt.Sprintf("check its plug and its supply, and that %s is its name: gateway scan shows who is there", device)
		}
		return "check its plug, its supply and its address: gateway scan shows who answers"
	case measure.CRC:
		return "shorten the cable or shield it, keep it away from pumps and inverters, and check the pull-up resistor and the ground"
	case measure.Shorted:
		return "look for water in the plug and for a data wire that touches ground"
	case measure.PowerUp:
		return "it loses its supply while it measures: check the 3.3 V wire and the plug"
	case measure.NotReady:
		return "some need up to 20 s after they were switched on: ask again; if it stays so, switch it off and on, then replace it"
	case measure.Garbled:
		return "check that the kind in the configuration is that of the chip, then the cable"
	case measure.Refused:
		return "the chip is there and says no: check that its kind is right, and that a probe is plugged into it"
	case measure.BusDown:
		return "mend the bus first, see its finding"
	case measure.Calibrating:
		return "somebody is calibrating it: let them finish, or end it with gateway calibrate SENSOR --abort"
	}
	return "run with --verbose, and look at the driver's words"
}

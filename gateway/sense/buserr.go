package sense

import (
	"errors"

	"aovuon/gateway/measure"
)

// ErrNoAck says that nobody acknowledged at the address of a bus transaction: the chip is absent, or busy. A bus wraps it
// in the error of its Tx; every other error of a transaction means that the bus itself does not work.
//
// Linux reports it as EREMOTEIO or ENXIO (Documentation/i2c/fault-codes.rst).
var ErrNoAck = errors.New("no acknowledge from the address")

// BusFault gives the error of a bus transaction its reason: NoResponse for ErrNoAck, BusDown for everything else.
func BusFault(err error) *Fault {
	if errors.Is(err, ErrNoAck) {
		return &Fault{Reason: measure.NoResponse, Err: err}
	}
	return &Fault{Reason: measure.BusDown, Err: err}
}

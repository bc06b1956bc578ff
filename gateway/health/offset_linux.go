package health

import (
	"time"

	"golang.org/x/sys/unix"
)

// ClockOffset is how far the machine's clock is ahead of the network's time, as the daemon that steers it told the kernel
// last (adjtimex(2)); known is false while nothing steers it.
func ClockOffset() (offset time.Duration, known bool) {
	var tx unix.Timex // modes 0 only asks
	if _, err := unix.Adjtimex(&tx); err != nil || tx.Status&unix.STA_UNSYNC != 0 {
		return 0, false
	}
	unit := time.Microsecond
	if tx.Status&unix.STA_NANO != 0 {
		unit = time.Nanosecond
	}
	return -time.Duration(tx.Offset) * unit, true // the kernel holds what is still to be added
}

package sense

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

func systemKernel() kernel {
	start := time.Now()
	return kernel{
		now: time.Now,
		uptime: func() time.Duration {
			var ts unix.Timespec
			if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
				return time.Since(start) // a kernel before 2.6.39; steady all the same
			}
			return time.Duration(ts.Nano())
		},
		synced: func() (bool, error) {
			var tx unix.Timex // modes 0 only asks: adjtimex(2)
			if _, err := unix.Adjtimex(&tx); err != nil {
				return false, fmt.Errorf("adjtimex: %w", err)
			}
			return tx.Status&unix.STA_UNSYNC == 0, nil
		},
	}
}

//go:build !linux

package sense

import (
	"errors"
	"time"
)

func systemKernel() kernel {
	start := time.Now()
	return kernel{
		now:    time.Now,
		uptime: func() time.Duration { return time.Since(start) },
		synced: func() (bool, error) { return false, errors.New("adjtimex is a call of Linux") },
	}
}

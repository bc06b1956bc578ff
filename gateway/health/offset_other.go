//go:build !linux

package health

import "time"

// ClockOffset knows nothing outside Linux.
func ClockOffset() (offset time.Duration, known bool) { return 0, false }

package sense

import "time"

// SetKernel replaces what the operating system says.
func (c *SystemClock) SetKernel(now func() time.Time, uptime func() time.Duration, synced func() (bool, error)) {
	c.kernel = kernel{now: now, uptime: uptime, synced: synced}
}

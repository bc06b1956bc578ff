// Package bus opens the buses chips hang on: the only part of the product that touches host hardware.
//
// Names come in ("1" for /dev/i2c-1, "unix:/path/to.sock" for a bus served over a Unix socket, a folder or a number for 1-Wire, a device
// file for a serial line, "GPIO17" for a pin); periph's i2c.Bus and onewire.Bus, io/fs file trees, serial.Ports and Outputs go out. A bus
// opens when it is first used and again after it broke, so plugging in again heals without a restart. ServeI2C and ServePins
// are the other half of remote ones; FORMAT.md specifies what the two say.
package bus

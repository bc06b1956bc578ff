// Package bus opens the buses chips hang on: the only part of the product that touches host hardware.
//
// Names come in ("1" for /dev/i2c-1, "unix:/path/to.sock" for a bus served over a Unix socket, a folder for 1-Wire, a device
// file for a serial line); periph's i2c.Bus, io/fs file trees and serial.Ports go out. A bus opens when it is first used and
// again after it broke, so plugging in again heals without a restart. ServeI2C is the other half of the remote bus; FORMAT.md
// specifies what the two say.
package bus

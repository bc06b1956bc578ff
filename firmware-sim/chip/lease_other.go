//go:build !linux

package chip

import (
	"errors"
	"os"
)

// Only Linux has leases.

func takeLease(*os.File) error { return errors.ErrUnsupported }

func awaited(*os.File) bool { return false }

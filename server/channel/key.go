package channel

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"aovuon/gateway/wire"
)

// keyText begins the file of a secret.
const keyText = "aovuon-channel-key-1 "

// LoadOrMakeKey reads the 32 secret bytes of a file, or makes them. Of two processes that make them at once, one does.
func LoadOrMakeKey(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeFile(path, func() ([]byte, error) {
			key := make([]byte, 32)
			if _, err := rand.Read(key); err != nil {
				return nil, err
			}
			return []byte(keyText + base64.StdEncoding.EncodeToString(key) + "\n"), nil
		}); err != nil {
			return nil, err
		}
		raw, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("channel key: %w", err)
	}
	text, ok := strings.CutPrefix(strings.TrimSpace(string(raw)), keyText)
	key, bad := base64.StdEncoding.DecodeString(text)
	if !ok || bad != nil || len(key) != 32 {
		return nil, fmt.Errorf("channel key: %s holds none: put back the copy of a backup, or remove the file; receivers must then be told the new keys", path)
	}
	return key, nil
}

// makeFile writes a file that is not there yet, readable to its owner alone, whole or not at all.
func makeFile(path string, text func() ([]byte, error)) error {
	raw, err := text()
	if err == nil {
		err = wire.WriteOnce(path, raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("channel key: %w", err)
	}
	return nil
}

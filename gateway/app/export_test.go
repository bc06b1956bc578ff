package app

import "time"

// Sample is the embedded configuration, and Parse what reads it.
func Sample() string { return sample }

// Parse reads a configuration without its files.
func Parse(raw []byte) (*Config, error) { return parse("gateway.yaml", raw) }

// ParseAt reads a configuration that stands at path.
func ParseAt(path string, raw []byte) (*Config, error) { return parse(path, raw) }

// NotBefore is the clock that the certificates of a gateway are checked with, on a machine whose own says machine.
func NotBefore(path string, machine time.Time) (func() time.Time, error) {
	cfg, err := load(path)
	if err != nil {
		return nil, err
	}
	return notBefore(cfg, func() time.Time { return machine }), nil
}

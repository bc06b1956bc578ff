package app

// Sample is the embedded configuration, and Parse what reads it.
func Sample() string { return sample }

// Parse reads a configuration without its files.
func Parse(raw []byte) (*Config, error) { return parse("gateway.yaml", raw) }

// ParseAt reads a configuration that stands at path.
func ParseAt(path string, raw []byte) (*Config, error) { return parse(path, raw) }

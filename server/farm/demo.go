package farm

import (
	"bytes"
	_ "embed"
	"fmt"
)

//go:embed demo.yaml
var demoYAML []byte

// DemoFile returns demo.yaml, the example of a farm file.
func DemoFile() []byte { return bytes.Clone(demoYAML) }

// Demo returns the farm of the demo, from demo.yaml.
func Demo() (*Farm, error) {
	f, err := Parse("demo.yaml", demoYAML)
	if err != nil {
		return nil, fmt.Errorf("farm: demo: %w", err)
	}
	return f, nil
}
